/**
 * Capabilities that a command started by root keeps (include/uapi/linux/capability.h, Linux 6.18): what
 * working with one's own files and users takes. The others reach around Landlock (DAC_READ_SEARCH opens
 * by handle, SYS_PTRACE and PERFMON read other processes, SYS_ADMIN mounts, MKNOD makes devices, BPF)
 * or around the machine (modules, raw I/O, time, network set-up).
 */
export const KEPT_CAPABILITIES: readonly number[] = [
  0, // CAP_CHOWN
  1, // CAP_DAC_OVERRIDE
  3, // CAP_FOWNER
  4, // CAP_FSETID
  5, // CAP_KILL
  6, // CAP_SETGID
  7, // CAP_SETUID
  10, // CAP_NET_BIND_SERVICE
];

/** The kept capabilities as the low 32 bits of a capability set; none of them is above. */
export function keptCapabilityMask(): number {
  let mask = 0;
  for (const capability of KEPT_CAPABILITIES) mask |= 1 << capability;
  return mask;
}
