import { oneOf, type PayloadFields, text, wholeNumber, wrong } from './payload.ts';
import { DECISIONS, type Decision } from './question.ts';

/** A day: more is a mistake. */
const TIMEOUT_MS_MAXIMUM = 86_400_000;

/** What a connection of the mode `control` asks for (PROTOCOL.md). */
export type ControlRequest =
  | { readonly verb: 'status' }
  | { readonly verb: 'stop'; readonly timeoutMs: number }
  | { readonly verb: 'detach' }
  | { readonly verb: 'rename'; readonly name: string }
  | { readonly verb: 'checkpoint'; readonly label: string }
  | { readonly verb: 'send'; readonly data: Uint8Array }
  | { readonly verb: 'screen' }
  | { readonly verb: 'log'; readonly follow: boolean }
  /** `since` waits until the list is no longer the one of that version. */
  | { readonly verb: 'approvals'; readonly since: number | undefined }
  /** `paths` is how many paths the question had when it was shown; undefined for any number. */
  | {
      readonly verb: 'decide';
      readonly number: number;
      readonly decision: Decision;
      readonly note: string | null;
      readonly paths?: number | undefined;
    };

const VERBS = ['status', 'stop', 'detach', 'rename', 'checkpoint', 'send', 'screen', 'log', 'approvals', 'decide'] as const;

/** The payload of a request, with the names of PROTOCOL.md. */
export function requestFields(request: ControlRequest): PayloadFields {
  switch (request.verb) {
    case 'stop':
      return { verb: 'stop', timeout_ms: request.timeoutMs };
    case 'rename':
      return { verb: 'rename', name: request.name };
    case 'checkpoint':
      return { verb: 'checkpoint', label: request.label };
    case 'send':
      return { verb: 'send', data: Buffer.from(request.data).toString('base64') };
    case 'log':
      return { verb: 'log', follow: request.follow };
    case 'approvals':
      return { verb: 'approvals', since: request.since };
    case 'decide':
      return { verb: 'decide', number: request.number, decision: request.decision, note: request.note, paths: request.paths };
    case 'status':
    case 'detach':
    case 'screen':
      return { verb: request.verb };
  }
}

/** @throws {ProtocolError} */
export function decodeRequest(document: PayloadFields): ControlRequest {
  const verb = oneOf(document, 'verb', VERBS);
  switch (verb) {
    case 'stop':
      return { verb, timeoutMs: wholeNumber(document, 'timeout_ms', TIMEOUT_MS_MAXIMUM) };
    case 'rename':
      return { verb, name: text(document, 'name') };
    case 'checkpoint':
      return { verb, label: text(document, 'label') };
    case 'send': {
      const data = document['data'];
      if (typeof data !== 'string') throw wrong('data');
      return { verb, data: new Uint8Array(Buffer.from(data, 'base64')) };
    }
    case 'log':
      return { verb, follow: document['follow'] === true };
    case 'approvals':
      return {
        verb,
        since: document['since'] === undefined ? undefined : wholeNumber(document, 'since', Number.MAX_SAFE_INTEGER),
      };
    case 'decide': {
      const note = document['note'] === null || document['note'] === undefined ? null : text(document, 'note');
      const decision = oneOf(document, 'decision', DECISIONS);
      const paths = document['paths'] === undefined ? undefined : wholeNumber(document, 'paths', Number.MAX_SAFE_INTEGER);
      return { verb, number: wholeNumber(document, 'number', Number.MAX_SAFE_INTEGER), decision, note, paths };
    }
    case 'status':
    case 'detach':
    case 'screen':
      return { verb };
  }
}
