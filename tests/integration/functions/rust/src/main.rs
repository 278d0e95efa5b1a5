//! The test function of all languages, on lambda_runtime: the event says what to do.
use lambda_runtime::{service_fn, Error, LambdaEvent};
use serde_json::{json, Value};
use std::time::Duration;

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let input = &event.payload;
    let text = |name: &str| input[name].as_str().unwrap_or("").to_string();
    let number = |name: &str| input[name].as_u64().unwrap_or(0);
    match input["do"].as_str().unwrap_or("") {
        "echo" => Ok(json!({"echo": input["value"]})),
        "throw" => Err(text("message").into()),
        "size" => Ok(Value::String("x".repeat(number("bytes") as usize))),
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
            Ok(json!("slept"))
        }
        "exit" => std::process::exit(number("code") as i32),
        "panic" => panic!("{}", text("message")),
        "env" => Ok(json!(std::env::var(text("name")).unwrap_or_default())),
        "pid" => Ok(json!(std::process::id())),
        "print" => {
            println!("{}", text("text"));
            Ok(json!("printed"))
        }
        "context" => {
            let now = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)?
                .as_millis() as i64;
            Ok(json!({
                "requestId": event.context.request_id,
                "arn": event.context.invoked_function_arn,
                "remainingMs": event.context.deadline as i64 - now,
            }))
        }
        other => Err(format!("unknown do: {other:?}").into()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var("TEST_INIT").as_deref() == Ok("fail") {
        eprintln!("init fails on purpose");
        std::process::exit(1);
    }
    lambda_runtime::run(service_fn(handle)).await
}
