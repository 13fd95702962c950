import type { Bytes } from '../../bytes.ts';
import { joinPath } from '../../paths.ts';
import { isListed } from '../../rollback/compare.ts';
import { openContent } from '../../rollback/content-access.ts';
import { renderTar, type TarMember } from '../../rollback/tar.ts';
import type { SessionView } from './session-view.ts';

/** What has changed, as it was below `before/` and as it became below `after/`. */
export function exportTar(view: SessionView): Iterable<Uint8Array> {
  return renderTar(membersOf(view));
}

function* membersOf({ changes, nameOf, sources }: SessionView): Generator<TarMember> {
  for (const side of ['before', 'after'] as const) {
    for (const change of changes) {
      const entry = change[side];
      if (entry === undefined || !isListed(change)) continue;
      const name = joinPath(side as Bytes, nameOf(change));
      yield { name, entry, content: entry.kind === 'file' ? openContent(entry, change.path, sources[side]) : undefined };
    }
  }
}
