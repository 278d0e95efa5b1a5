// A .js file that is an ES module because its package.json says so.
export const handler = async (event) => ({ echo: event.value, where: 'esm-package' });
