// Fastify + ONNX Runtime: the fastest common answer to "serve it without Python".
const path = require('node:path');
const req = require('node:module').createRequire(path.join(process.env.NODE_HOME, 'x.js'));
const ort = req('onnxruntime-node');

async function main() {
  const app = req('fastify')({logger: false});
  const session = await ort.InferenceSession.create(path.join(process.env.MODEL_DIR, 'model.onnx'), {intraOpNumThreads: 1});
  const input = session.inputNames[0], label = session.outputNames[0];
  app.post('/predict', async (request) => {
    const rows = request.body.instances;
    const tensor = new ort.Tensor('float32', Float32Array.from(rows.flat()), [rows.length, rows[0].length]);
    const out = await session.run({[input]: tensor}, [label]);
    return {predictions: Array.from(out[label].data, (x) => typeof x === 'bigint' ? Number(x) : x)};
  });
  await app.listen({host: '127.0.0.1', port: Number(process.env.PORT)});
}
main();
