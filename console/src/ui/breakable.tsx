import { Fragment } from 'react';

/** Something long without spaces, such as an address, which goes on in the next line at its signs rather than anywhere. */
export function Breakable({ text }: { text: string }) {
  // The parts of one text never change their order, so their place is their key.
  return text.split(/(?<=[/@?&])|(?=[.])/).map((part, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: see above
    <Fragment key={place}>
      {part}
      <wbr />
    </Fragment>
  ));
}
