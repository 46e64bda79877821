/*
 * ONNX Runtime from 1.29 on tells its makers of every model that is opened, and keeps an identifier of the machine in the
 * home folder, unless this variable is there when it is loaded. Nobody who asks sward about photos has agreed to that.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
