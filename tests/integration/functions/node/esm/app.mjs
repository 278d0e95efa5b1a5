// An ES module with top-level await.
const greeting = await Promise.resolve('esm');

export const handler = async (event) => {
  if (event.do === 'throw') {
    throw new TypeError(event.message);
  }
  return { echo: event.value, where: greeting };
};
