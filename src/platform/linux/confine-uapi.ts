/** Constants of confining a process, with the header that defines them (Linux 6.18; the same on x64 and arm64). What launch.c uses is there. */

/** include/uapi/linux/prctl.h */
export const PR_SET_NO_NEW_PRIVS = 38;

/** include/uapi/linux/landlock.h */
export const LANDLOCK_CREATE_RULESET_VERSION = 1;
export const LANDLOCK_RULE_PATH_BENEATH = 1;
