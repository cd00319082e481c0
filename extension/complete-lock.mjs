// Adds to package-lock.json the optional packages of other platforms that npm leaves out when the registry it
// asks has none of them; without these entries `npm ci` refuses the file. Run after each `npm install`.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = ['darwin', 'linux', 'win32', 'android', 'freebsd'];
const processors = ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'arm', 'wasm32'];

for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    if (lock.packages[place]) {
      continue;
    }
    const words = name.split('-');
    const os = systems.filter(each => words.includes(each === 'win32' && words.includes('windows') ? 'windows' : each));
    const cpu = processors.filter(each => words.includes(each));
    lock.packages[place] = {
      version: version.replace(/^[~^]/, ''),
      ...(cpu.length && { cpu }),
      dev: true,
      license: 'MIT',
      optional: true,
      ...(os.length && { os })
    };
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, JSON.stringify(lock, null, 2) + '\n');
