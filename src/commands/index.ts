import { approvalCommands } from './approval-options.ts';
import { auditCommands } from './audit/index.ts';
import { policyCommands } from './policy-options.ts';
import { rollbackCommands } from './rollback/index.ts';
import { runCommands } from './run-options.ts';
import { sessionCommands } from './session-options.ts';
import type { CommandSpec } from './spec.ts';
import { supportCommands } from './support-options.ts';

/** Every verb, in the order of `nono help`. */
export const commands: readonly CommandSpec[] = [
  ...runCommands,
  ...sessionCommands,
  ...approvalCommands,
  ...rollbackCommands,
  ...auditCommands,
  ...policyCommands,
  ...supportCommands,
];
