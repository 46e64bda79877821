// Reading a file called poison ends the process that computes units, as a decoder that crashes would.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { readFile } = fs;
fs.readFile = (path, ...rest) => {
  if (process.send && String(path).includes('poison')) process.kill(process.pid, 'SIGKILL');
  return readFile(path, ...rest);
};
syncBuiltinESMExports();
