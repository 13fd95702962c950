import { describe, expect, test } from 'vitest';
import { screenDocument } from '../../../src/terminal/screen-document.ts';
import { screenHtml, screenSvg } from '../../../src/ui/screen-pictures.ts';
import { createModel } from '../../support/screens.ts';

function documentOf(text: string) {
  const model = createModel({ columns: 30, rows: 3 });
  model.write(Buffer.from(text));
  return screenDocument(model);
}

describe('screenHtml()', () => {
  test('shows the look of the text and escapes it', () => {
    const html = screenHtml(documentOf('\x1b[1;31;44m<b>&\x1b[m \x1b[4:3;38;5;208mwavy\x1b[m \x1b[7minverse'));

    expect(html).toContain('<span style="color:#cd0000;background:#0000ee;font-weight:bold">&lt;b&gt;&amp;</span>');
    expect(html).toContain('<span style="color:#ff8700;text-decoration:underline wavy">wavy</span>');
    expect(html).toContain('<span style="color:#101010;background:#d0d0d0">inverse</span>');
  });

  test('leads nowhere that a page must not lead to', () => {
    const html = screenHtml(documentOf('\x1b]8;;javascript:alert(1)\x07bad\x1b]8;;https://a/?"x\x07good\x1b]8;;\x07'));

    expect(html).not.toContain('javascript');
    expect(html).toContain('href="https://a/?&quot;x"');
  });
});

describe('screenSvg()', () => {
  test('puts every run at its columns', () => {
    const svg = screenSvg(documentOf('ab\x1b[32m日本\x1b[mc'));

    expect(svg).toContain('<text x="12" y="25" fill="#d0d0d0" textLength="16.8">ab</text>');
    expect(svg).toContain('<text x="28.8" y="25" fill="#00cd00" textLength="33.6">日本</text>');
    expect(svg).toContain('<text x="62.4" y="25" fill="#d0d0d0" textLength="8.4">c</text>');
  });
});
