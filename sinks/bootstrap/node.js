// Runs a Node.js handler for the Runtime API: fed to node through stdin, no packages. One
// connection, kept, on a plain socket: the protocol needs no HTTP library.
'use strict';
const fs = require('fs');
const net = require('net');
const path = require('path');
const { createRequire } = require('module');
const { Writable } = require('stream');
const { pathToFileURL } = require('url');

const ROOT = '/2018-06-01/runtime/';
const env = process.env;

class Gone extends Error {}

// One keep-alive connection to the gateway; one request at a time.
class Api {
    constructor(address) {
        const at = address.lastIndexOf(':');
        this.host = `\r\nHost: ${address}\r\n`;
        this.chunks = [];
        this.have = 0;
        this.waiting = null;
        this.socket = net.connect(Number(address.slice(at + 1)), address.slice(0, at));
        this.socket.setNoDelay(true);
        this.socket.on('data', (chunk) => {
            this.chunks.push(chunk);
            this.have += chunk.length;
            this.look();
        });
        const gone = () => this.fail(new Gone('the gateway is gone'));
        this.socket.on('error', gone);
        this.socket.on('close', gone);
    }

    fail(error) {
        const waiting = this.waiting;
        this.waiting = null;
        if (waiting) waiting.reject(error);
    }

    // The answer, once all of it is here.
    look() {
        if (!this.waiting) return;
        const w = this.waiting;
        if (!w.head && !this.head(w)) return;
        if (this.have < w.total) return;
        const all = this.join();
        const body = all.subarray(w.start, w.total);
        this.chunks = w.total < all.length ? [all.subarray(w.total)] : [];
        this.have -= w.total;
        this.waiting = null;
        w.resolve({ status: w.status, headers: w.head, body });
    }

    join() {
        if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
        return this.chunks[0];
    }

    head(w) {
        const data = this.join();
        const end = data.indexOf('\r\n\r\n');
        if (end < 0) return false;
        const lines = data.latin1Slice(0, end).split('\r\n');
        w.head = {};
        for (let i = 1; i < lines.length; i++) {
            const colon = lines[i].indexOf(':');
            w.head[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
        }
        w.status = Number(lines[0].slice(9, 12));
        w.start = end + 4;
        w.total = w.start + Number(w.head['content-length'] || 0);
        return true;
    }

    request(head, body) {
        return new Promise((resolve, reject) => {
            if (this.socket.destroyed) {
                reject(new Gone('the gateway is gone'));
                return;
            }
            this.waiting = { resolve, reject, head: null };
            this.socket.ref();
            if (body === undefined) this.socket.write(head);
            else if (typeof body === 'string') this.socket.write(head + body);
            else {
                this.socket.cork();
                this.socket.write(head);
                this.socket.write(body);
                this.socket.uncork();
            }
            if (this.have > 0) this.look();
        });
    }

    async next() {
        const answer = await this.request(`GET ${ROOT}invocation/next HTTP/1.1${this.host}\r\n`);
        if (answer.status !== 200) throw new Gone(`/next answered ${answer.status}`);
        return answer;
    }

    async post(where, body, type = 'application/json') {
        const head = `POST ${ROOT}${where} HTTP/1.1${this.host}Content-Type: ${type}\r\n` +
            `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
        const answer = await this.request(head, body);
        if (answer.status === 500) throw new Gone('the gateway answered 500');
    }
}

// An error of ours with the type that AWS gives it.
class Fault extends Error {
    constructor(type, message, stack) {
        super(message);
        this.name = type;
        if (stack) this.stack = stack;
    }
}

function errorBody(error) {
    let body;
    if (error instanceof Error) {
        const trace = String(error.stack || '').split('\n');
        body = { errorType: error.name || 'Error', errorMessage: String(error.message), trace };
    } else {
        let text;
        try {
            text = typeof error === 'object' ? JSON.stringify(error) : String(error);
        } catch (_) {
            text = String(error);
        }
        body = { errorType: typeof error, errorMessage: text, trace: [] };
    }
    console.error(`[ERROR] ${body.errorType}: ${body.errorMessage}\n` +
        body.trace.slice(1).join('\n'));
    return JSON.stringify(body);
}

// ---- finding the handler

function isModule(file) {
    if (file.endsWith('.mjs')) return true;
    if (file.endsWith('.cjs')) return false;
    for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
        const manifest = path.join(dir, 'package.json');
        if (fs.existsSync(manifest))
            return JSON.parse(fs.readFileSync(manifest, 'utf8')).type === 'module';
        if (path.basename(dir) === 'node_modules' || dir === path.dirname(dir)) return false;
    }
}

function isFile(name) {
    return fs.existsSync(name) && fs.statSync(name).isFile();
}

async function loadModule(root, name) {
    const base = path.resolve(root, name);
    const file = [base, base + '.js', base + '.mjs', base + '.cjs'].find(isFile);
    if (file && isModule(file)) return import(pathToFileURL(file).href);
    const require = createRequire(path.join(root, 'x.js'));
    if (file) return require(file);
    try {
        return require(base); // a folder with an index file or a package
    } catch (error) {
        if (error.code !== 'MODULE_NOT_FOUND' || !error.message.includes(`'${base}'`)) throw error;
        return require(require.resolve(name, { paths: [root] }));
    }
}

async function load(root, handler) {
    const folder = path.dirname(handler);
    const [, file, names] = /^([^.]*)\.(.*)$/.exec(path.basename(handler)) || [];
    if (!file || !names || handler.includes('..'))
        throw new Fault('Runtime.MalformedHandlerName', 'Bad handler');
    let found;
    try {
        found = await loadModule(root, path.join(folder, file));
    } catch (error) {
        if (error instanceof SyntaxError)
            throw new Fault('Runtime.UserCodeSyntaxError', String(error), error.stack);
        if (error && /MODULE_NOT_FOUND$/.test(error.code || ''))
            throw new Fault('Runtime.ImportModuleError', String(error), error.stack);
        throw error;
    }
    for (const part of names.split('.'))
        found = found === undefined || found === null ? undefined
            : part in Object(found) ? found[part] : found.default && found.default[part];
    if (found === undefined || found === null)
        throw new Fault('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
    if (typeof found !== 'function')
        throw new Fault('Runtime.HandlerNotFound', `${handler} is not a function`);
    return found;
}

// ---- one event

function parseHeader(headers, name) {
    const text = headers[name];
    return text ? JSON.parse(Buffer.from(text, 'latin1').toString()) : undefined;
}

function makeContext(headers, finish) {
    const deadline = Number(headers['lambda-runtime-deadline-ms']);
    const context = {
        callbackWaitsForEmptyEventLoop: true,
        functionName: env.AWS_LAMBDA_FUNCTION_NAME,
        functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
        memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
        logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
        logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
        clientContext: parseHeader(headers, 'lambda-runtime-client-context'),
        identity: parseHeader(headers, 'lambda-runtime-cognito-identity'),
        invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
        awsRequestId: headers['lambda-runtime-aws-request-id'],
        getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
        done: (error, result) => finish(error, result, true),
        succeed: (result) => finish(null, result, true),
        fail: (error) => finish(error === undefined || error === null ? 'handled' : error,
            null, true),
    };
    return context;
}

let whenEmpty = null; // what beforeExit, an empty event loop, means to the present event
let abort = null;     // fails the present event from outside its handler

// Calls the handler; resolves with its result, rejects with its error.
function run(handler, event, headers) {
    return new Promise((resolve, reject) => {
        let over = false;
        const settle = (error, result) => {
            whenEmpty = null;
            if (error !== null && error !== undefined) reject(error);
            else resolve(result);
        };
        // At once for done, succeed, fail; a callback waits for the event loop unless told not to.
        const finish = (error, result, now) => {
            if (over) return;
            over = true;
            if (now || !context.callbackWaitsForEmptyEventLoop)
                setImmediate(settle, error, result);
            else whenEmpty = () => settle(error, result);
        };
        const context = makeContext(headers, finish);
        whenEmpty = () => settle(null, null);
        const returned = handler(event, context, (error, result) => finish(error, result, false));
        if (returned && typeof returned.then === 'function')
            returned.then((result) => settle(null, result), reject);
        else if (returned !== undefined && handler.length < 3) finish(null, returned, true);
    });
}

// Response streaming, gathered: the invoker gets one body.
const streaming = new WeakSet();
const INTEGRATION = 'application/vnd.awslambda.http-integration-response';

globalThis.awslambda = {
    streamifyResponse(handler) {
        streaming.add(handler);
        return handler;
    },
    HttpResponseStream: {
        from(stream, prelude) {
            stream.setContentType(INTEGRATION);
            stream.write(JSON.stringify(prelude) + '\0'.repeat(8));
            return stream;
        },
    },
};

async function gather(handler, event, headers) {
    const chunks = [];
    let type = 'application/octet-stream';
    const stream = new Writable({
        write(chunk, _, next) {
            chunks.push(chunk);
            next();
        },
    });
    stream.setContentType = (value) => { type = value; };
    const finished = new Promise((resolve, reject) => {
        stream.on('finish', resolve);
        stream.on('error', reject);
    });
    finished.catch(() => {}); // the handler may have thrown before it
    whenEmpty = () => stream.end();
    await handler(event, stream, makeContext(headers, () => stream.end()));
    await finished;
    return { answer: Buffer.concat(chunks), type };
}

function marshal(result) {
    try {
        return JSON.stringify(result === undefined ? null : result) || 'null';
    } catch (_) {
        throw new Fault('Runtime.MarshalError', 'Unable to stringify response body');
    }
}

async function serveOne(api, handler) {
    const { headers, body } = await api.next();
    const id = headers['lambda-runtime-aws-request-id'];
    env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'] || '';
    abort = async (error, code) => {
        abort = null;
        await api.post(`invocation/${id}/error`, errorBody(error)).catch(() => {});
        process.exit(code);
    };
    // While the handler runs the socket must not keep the event loop from being empty.
    api.socket.unref();
    let where, answer, type;
    try {
        const event = JSON.parse(body.toString());
        if (streaming.has(handler)) ({ answer, type } = await gather(handler, event, headers));
        else answer = marshal(await run(handler, event, headers));
        where = `invocation/${id}/response`;
    } catch (error) {
        answer = errorBody(error);
        where = `invocation/${id}/error`;
    }
    whenEmpty = null;
    abort = null;
    await api.post(where, answer, type);
}

function crash(error, code) {
    if (abort) abort(error, code);
    else {
        console.error(error);
        process.exit(code);
    }
}

process.on('beforeExit', () => {
    const then = whenEmpty;
    whenEmpty = null;
    if (then) setImmediate(then);
});

async function main() {
    const root = env.LAMBDA_TASK_ROOT || process.cwd();
    const api = new Api(env.AWS_LAMBDA_RUNTIME_API);
    let handler;
    try {
        handler = await load(root, process.argv[2]);
    } catch (error) {
        await api.post('init/error', errorBody(error)).catch(() => {});
        process.exit(1);
    }
    process.on('uncaughtException', (error) => crash(error, 129));
    process.on('unhandledRejection', (reason) => {
        const error = new Fault('Runtime.UnhandledPromiseRejection', String(reason));
        crash(error, 128);
    });
    try {
        for (;;) await serveOne(api, handler);
    } catch (error) {
        console.error(`runtime: ${error.message}`);
        process.exit(1);
    }
}

main();
