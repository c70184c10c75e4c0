import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const DATA = resolve(ROOT, '../shared/data');
/** Folders of the data that hold captures; what is kept back for acceptance is none of them. */
const FOLDERS = [
  'arkime',
  'flowtest',
  'zeek',
  'suricata-verify',
  'tcpdump',
  'libpcap',
  'pcapng-generator',
  'pcapplusplus',
];
const NO_CAPTURE = /\.(test|yml|yaml|log|json|tsv|md|txt|xml|csv\.gz)$|LICENSE|COPYING/;

export interface CaptureFolder {
  folder: string;
  paths: string[];
}

/** Captures of each folder of `../shared/data`; none where it is absent. */
export function dataCaptures(): CaptureFolder[] {
  return FOLDERS.filter((folder) => existsSync(join(DATA, folder))).map((folder) => captures(DATA, folder));
}

/** The recorded fixtures. */
export function fixtureCaptures(): CaptureFolder {
  return captures(ROOT, 'fixtures');
}

function captures(parent: string, folder: string): CaptureFolder {
  const paths = readdirSync(join(parent, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !NO_CAPTURE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return { folder, paths };
}
