import { EXIT, NonoError } from '../errors.ts';

/** What the user asked to share cannot be shared; nothing was started. */
export class GrantError extends NonoError {
  constructor(message: string, hint: string) {
    super('E_GRANT', EXIT.nonoFailed, message, { hint });
  }
}
