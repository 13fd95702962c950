import type { Bytes } from '../../bytes.ts';
import { isWithin } from '../../paths.ts';
import type { Mount } from '../../ports/path-facts.ts';

/** File systems in which writing changes the machine. Each mount of some of them is a file system of its own, so that no number tells that it is another name of /proc. */
const KERNEL_TYPES: readonly string[] = [
  'binfmt_misc',
  'bpf',
  'cgroup',
  'cgroup2',
  'configfs',
  'debugfs',
  'devpts',
  'devtmpfs',
  'efivarfs',
  'fusectl',
  'proc',
  'pstore',
  'securityfs',
  'selinuxfs',
  'sysfs',
  'tracefs',
];
/** Where they are on every machine. */
const USUAL: readonly string[] = ['/proc', '/sys', '/dev'];

/** Where the fields of a line are: mount, parent, file system, its root there, mount point, and what nobody here asks for. */
const FIELDS = 5;

/**
 * What a mountinfo file of /proc says (proc_pid_mountinfo(5)), where a file system is in more than one line, as on few machines; else nothing. In the
 * order of the lines: of two on one path the later one is above.
 */
export function sharedMounts(mountinfo: string): readonly Mount[] {
  const lines = mountinfo.split('\n');
  // What ends the last line.
  lines.pop();
  if (!hasTwice(lines)) return [];
  return lines.map((line) => {
    const [, , fileSystem = '', root = '', path = ''] = line.split(' ', FIELDS);
    return { fileSystem, root: unescaped(root), path: unescaped(path) };
  });
}

/** Where interfaces of the kernel are mounted beside their usual places: in the root directory of a container that is being made, say. */
export function kernelMounts(mountinfo: string): readonly Bytes[] {
  const found: Bytes[] = [];
  for (const type of KERNEL_TYPES) {
    // What precedes the type of a file system, and nothing else: blanks in names are written as numbers.
    const mark = ` - ${type} `;
    for (let at = mountinfo.indexOf(mark); at >= 0; at = mountinfo.indexOf(mark, at + 1)) {
      const line = mountinfo.slice(mountinfo.lastIndexOf('\n', at) + 1, at);
      const path = unescaped(line.split(' ', FIELDS)[FIELDS - 1] ?? '');
      if (!USUAL.some((usual) => isWithin(path, usual as Bytes))) found.push(path);
    }
  }
  return found;
}

/** Whether a file system is in two lines. On the way of every start: only as much of a line is looked at as that takes. */
function hasTwice(lines: readonly string[]): boolean {
  const seen = new Set<string>();
  for (const line of lines) {
    const from = line.indexOf(' ', line.indexOf(' ') + 1) + 1;
    const fileSystem = line.slice(from, line.indexOf(' ', from));
    if (seen.has(fileSystem)) return true;
    seen.add(fileSystem);
  }
  return false;
}

/** The kernel writes blanks, line ends and backslashes as three octal digits (mangle_path() of fs/seq_file.c). */
function unescaped(text: string): Bytes {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))) as Bytes;
}
