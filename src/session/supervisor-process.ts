/** Hidden first argument that turns nono's executable into the supervisor of a session. */
export const SUPERVISOR_ROLE = '__supervise';

/**
 * How a supervisor is started: from the same file that this process runs, even when another version was installed over it. Its own files are found by
 * absolute paths; nothing of the caller's environment concerns it. While it starts, three processes want two processors. What is compiled at the highest
 * level takes the processor from a command that floods for longer than that saves, unless it is run ten times as often as the engine expects.
 */
export const SUPERVISOR_PROCESS = {
  file: '/proc/self/exe',
  arguments: [SUPERVISOR_ROLE],
  environment: {
    HOME: '/',
    BUN_JSC_useWarmUpMarkedBlocks: '0',
    BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: '1000000',
    BUN_JSC_thresholdForFTLOptimizeSoon: '10000',
  },
} as const;
