import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Bun is no package of node_modules that is bundled: it is what the bundle stands in. */
const BUN_LICENSE = 'MIT';

/** The text for packages that say which licence they have and bring none: from the notices in their sources. */
const TEXTS = { '@xterm/headless': 'scripts/licences/xterm-headless.txt' };

/**
 * What is inside the executables, as CycloneDX 1.5: each bundled package, and Bun.
 *
 * Without a serial number and a date, which the format leaves open: two builds of one commit give the same bytes.
 *
 * @throws {Error} for a package without a licence or without a text of it
 */
export function makeSbom({ top, version, packages, bunVersion, runtimes }) {
  const lock = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8')).packages;
  const components = packages.map((name) => {
    const described = describePackage(top, name);
    const [, algorithm, sum] = /^(sha\d+)-(.*)$/.exec(lock[`node_modules/${name}`]?.integrity ?? '') ?? [];
    return {
      type: 'library',
      'bom-ref': purl(name, described.version),
      name,
      version: described.version,
      licenses: [{ license: { id: described.license } }],
      purl: purl(name, described.version),
      ...(sum === undefined ? {} : { hashes: [hash(algorithm, sum)] }),
    };
  });
  const bun = {
    type: 'framework',
    'bom-ref': purl('bun', bunVersion),
    name: 'bun',
    version: bunVersion,
    description: 'The JavaScript runtime that the executable stands in, with JavaScriptCore (LGPL-2.1) and what that links',
    licenses: [{ license: { id: BUN_LICENSE } }],
    purl: purl('bun', bunVersion),
    externalReferences: [{ type: 'license', url: 'https://bun.sh/docs/project/licensing' }],
    components: runtimes.map(({ runtime, integrity }) => ({
      type: 'file',
      'bom-ref': purl(runtime, bunVersion),
      name: runtime,
      version: bunVersion,
      purl: purl(runtime, bunVersion),
      hashes: [hash('sha512', integrity.slice('sha512-'.length))],
    })),
  };
  const own = `pkg:generic/nono@${version}`;
  const all = [...components, bun];
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': own, name: 'nono', version, licenses: [{ license: { id: 'Apache-2.0' } }] },
    },
    components: all,
    dependencies: [
      { ref: own, dependsOn: all.map((component) => component['bom-ref']) },
      ...all.map((component) => ({ ref: component['bom-ref'], dependsOn: [] })),
    ],
  };
}

/** The licences of what is bundled: their terms want their texts to go along. */
export function licenceTexts({ top, packages, bunVersion }) {
  const parts = packages.map((name) => {
    const { version, license, text } = describePackage(top, name);
    return `${name} ${version} (${license})\n${'-'.repeat(60)}\n${text.trim()}\n`;
  });
  const bun = `bun ${bunVersion} (${BUN_LICENSE})\n${'-'.repeat(60)}\nThe runtime, with JavaScriptCore (LGPL-2.1) and what it links:\nhttps://bun.sh/docs/project/licensing\n`;
  return `The executable holds these packages beside nono itself.\n\n${[...parts, bun].join('\n\n')}`;
}

function describePackage(top, name) {
  const directory = join(top, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const own = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
  const file = own === undefined ? TEXTS[name] && join(top, TEXTS[name]) : join(directory, own);
  if (license === undefined || file === undefined) throw new Error(`Cannot release: ${name} has no licence`);
  return { version, license, text: readFileSync(file, 'utf8') };
}

/** An address of a package, whatever registry it came from. */
function purl(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function hash(algorithm, base64) {
  return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(base64, 'base64').toString('hex') };
}
