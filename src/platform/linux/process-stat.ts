/** The fields of /proc/PID/stat behind the command name, which may hold spaces and brackets (proc(5)): the first is the state, field 3. */
export function statFields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
