import type { ChannelProof } from '../query/binding-source.ts';

/** What is known of a query on one channel, as sentences. Their rules are those of `core/freshness.ts`. */
export function proofWords(proof: ChannelProof): readonly string[] {
  const { isJoined, position, known, base, stamp, floor, lastNews, reached } = proof;
  const words: string[] = [];
  if (!isJoined)
    words.push(
      'Not joined now: what is announced meanwhile is not heard, and is recovered or fetched at the next join.',
    );
  if (!position) {
    words.push(
      stamp
        ? `The server had read offset ${stamp.offset} before it read the data.`
        : 'The server did not say how new the data is.',
    );
    return words;
  }
  words.push(
    `Everything up to offset ${position.offset} was delivered here${known > position.offset ? `, and offset ${known} is known to exist` : ''}.`,
  );
  if (reached < 0) words.push('Nothing proves how new the data is: every publication counts as news.');
  else
    words.push(
      reached === stamp?.offset && reached !== floor?.offset
        ? `The data holds everything up to ${reached}: the server had read that before it read the data.`
        : `The data holds everything up to ${reached}: this tab had heard of that when it asked.`,
    );
  const needed = Math.max(base, lastNews);
  if (reached >= needed)
    words.push(
      lastNews
        ? `The last news for this query was ${lastNews}, which the data holds.`
        : 'Nothing that concerns this query was announced since.',
    );
  else if (lastNews > base) words.push(`News at ${lastNews} concerns this query, and is not in the data yet.`);
  else words.push(`What happened up to ${base} was not seen one by one, and the data is older.`);
  return words;
}
