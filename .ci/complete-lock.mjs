// Puts the optional packages of other platforms into package-lock.json. A registry mirror that lacks some of them makes
// `npm install` leave them out, and `npm ci` then refuses the lockfile as out of step. They are never fetched where os
// or cpu differ. Run after every `npm install`: node .ci/complete-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
let added = 0;
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (lock.packages[path]) continue;
    const os = /(android|darwin|linux|win32|windows|freebsd|openbsd|netbsd|sunos|aix|openharmony)/.exec(name)?.[1];
    const cpu = /(arm64|x64|ia32|arm|ppc64|s390x|riscv64|loong64|wasm32)/.exec(name)?.[1];
    if (!os || !cpu) continue;
    const libc = /linux/.test(name) ? (/musl/.test(name) ? ['musl'] : undefined) : undefined;
    lock.packages[path] = { version, cpu: [cpu], ...(libc ? { libc } : {}), ...(entry.dev ? { dev: true } : {}), optional: true, os: [os === 'windows' ? 'win32' : os] };
    added++;
  }
}
const [root, ...rest] = Object.keys(lock.packages);
lock.packages = Object.fromEntries([root, ...rest.sort()].map((path) => [path, lock.packages[path]]));
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} optional packages of other platforms added`);
