import { describe, expect, test } from 'vitest';
import { screenDocument } from '../../../src/terminal/screen-document.ts';
import { createModel } from '../../support/screens.ts';

const NO_WRAPPING = '\x1b[?7l';

describe('a wide character in the last columns without wrapping', () => {
  test.for([
    { what: 'is there', text: '日', shown: '日', columns: 2 },
    { what: 'is nothing any more when its second half was written over', text: '日[', shown: ' [', columns: 2 },
    { what: 'is nothing any more, of several characters too', text: '👩\u200d👧[', shown: ' [', columns: 2 },
  ])('$what', ({ text, shown, columns }) => {
    const model = createModel({ columns: 2, rows: 1 });
    model.write(Buffer.from(NO_WRAPPING + text));
    expect(screenDocument(model).lines[0]?.runs).toEqual([{ text: shown, columns, style: '', link: '' }]);
  });
});
