// Answers with the width that its environment asks for.
exports.handler = async (event) => {
    return { image: event.image ?? null, width: Number(process.env.WIDTH) };
};
