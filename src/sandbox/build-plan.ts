import type { Bytes } from '../bytes.ts';
import { findCommand } from './command.ts';
import { scrubEnvironment } from './environment.ts';
import { resolveGrants } from './grants.ts';
import { type Plan, READ_WRITE, RuleSet } from './plan.ts';
import { Plantable } from './planted.ts';
import type { Policy, World } from './policy.ts';
import { forbiddenPlaces, sensitivePlaces } from './sensitive.ts';
import { streamRules } from './streams.ts';
import { systemRules } from './system-paths.ts';
import { toolchainRules } from './toolchains.ts';

/**
 * Resolves a policy against the file system, once: from here on there are only absolute paths and rights.
 *
 * @throws {NonoError} for a grant that cannot be given and a command that is not there.
 */
export function buildPlan(policy: Policy, world: World): Plan {
  const { entries, withheld } = scrubEnvironment(world.environment, {
    passed: policy.passedVariables,
    denied: policy.deniedVariables,
    set: policy.setVariables,
    temporaryDirectory: policy.temporaryDirectory,
  });
  const places = sensitivePlaces(world);
  const grants = resolveGrants(policy, world, places);
  const found = findCommand(policy.command[0] as Bytes, world);

  const plantable = new Plantable(grants.rules, world);
  const rules = new RuleSet();
  for (const rule of systemRules(world, plantable, places)) rules.add(rule);
  for (const rule of toolchainRules(found.chain, world, places, plantable)) rules.add(rule);
  for (const rule of streamRules(world.facts, places)) rules.add(rule);
  rules.add({ path: policy.temporaryDirectory, isDirectory: true, access: READ_WRITE, origin: 'temporary' });
  for (const rule of grants.rules) rules.add(rule);

  return {
    rules: rules.sorted(),
    executables: found.executables,
    command: policy.command,
    environment: entries,
    workingDirectory: world.workingDirectory,
    temporaryDirectory: policy.temporaryDirectory,
    withheld,
    writableGrants: grants.writable,
    network: policy.network,
    sockets: grants.sockets,
    asks: policy.asks,
    forbidden: policy.asks ? forbiddenPlaces(world, grants.permitted) : [],
    isBestEffort: policy.isBestEffort,
    profile: policy.profile,
    excludes: policy.excludes,
    missingDirectories: grants.missingDirectories,
    missingFiles: grants.missingFiles,
    skipped: grants.skipped,
  };
}
