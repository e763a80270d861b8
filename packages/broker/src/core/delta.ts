import { isUtf8 } from 'node:buffer';
import { type ByteString, isAscii } from '../protocol/byte-string.ts';
import type { Encoding, StoredPublication } from '../protocol/encoding.ts';
import { createFossilDelta } from './fossil-delta.ts';

/**
 * A publication for a subscription that negotiated deltas: the difference to the one before, or the whole where there is none before,
 * or where the difference is no shorter.
 */
export function makeDelta(
  encoding: Encoding,
  publication: StoredPublication,
  previous: StoredPublication | undefined,
): StoredPublication {
  const delta = previous && shorterDelta(encoding, previous.data, publication.data);
  if (delta === undefined && encoding.name !== 'json') return publication;
  const data = encoding.asDeltaData(delta ?? publication.data);
  return { ...publication, data, epoch: '', version: 0, isDelta: delta !== undefined };
}

function shorterDelta(encoding: Encoding, source: ByteString, target: ByteString): ByteString | undefined {
  const delta = createFossilDelta(source, target);
  if (delta.length >= target.length) return undefined;
  // A difference that begins or ends inside a character cannot travel as a text.
  const isText = isAscii(delta) || isUtf8(Buffer.from(delta, 'latin1'));
  return isText || encoding.name !== 'json' ? delta : undefined;
}

/** Recovered publications in the form of deltas: the first whole, each other as the difference to the one before. */
export function makeDeltas(encoding: Encoding, publications: readonly StoredPublication[]): StoredPublication[] {
  return publications.map((publication, i) => makeDelta(encoding, publication, publications[i - 1]));
}
