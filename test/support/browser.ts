import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import type { TestContext } from 'vitest';

/** Where Debian and others put it. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Skips the test, with the reason, where there is no browser to see a page in. */
export function needBrowser(context: TestContext): string {
  const found = PLACES.find((path) => existsSync(path));
  if (found === undefined) context.skip(`needs a browser, one of ${PLACES.join(', ')}`);
  return found ?? '';
}

/** Chromium has a sandbox of its own, which does not work for root. */
export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}
