/** Where `bun build --compile` keeps the files of an executable; entry files keep their place below src/. */
const COMPILED_ROOT = '/$bunfs/root/';

/** What a thread begins with: the file of that name beside this one, in the executable or not. */
export function workerFile(name: 'content-worker'): string {
  const isCompiled = import.meta.path.startsWith(COMPILED_ROOT);
  return isCompiled ? `${COMPILED_ROOT}platform/bun/${name}.js` : new URL(`./${name}.ts`, import.meta.url).href;
}
