import { type ByteString, jsonString } from './byte-string.ts';
import { publicationMembers } from './json-publication.ts';
import { onOneLine } from './json-scan.ts';
import type { ConnectResult, SubscribeResult } from './schema.ts';

/**
 * The results of connecting and subscribing, equal to what the schema gives, byte for byte, but written by hand: they are what a storm of reconnects
 * consists of, and walking the schema costs a third of a connect while the code of a fresh process is still cold.
 */
export function encodeConnectResult(result: ConnectResult): ByteString {
  const { client, version, expires, ttl, data, subs, ping, pong, session, node, time } = result;
  let members = '';
  if (client) members += `,"client":${jsonString(client)}`;
  if (version) members += `,"version":${jsonString(version)}`;
  if (expires) members += ',"expires":true';
  if (ttl) members += `,"ttl":${ttl}`;
  if (data !== undefined) members += `,"data":${onOneLine(data)}`;
  if (subs?.size) members += `,"subs":{${encodeSubs(subs)}}`;
  if (ping) members += `,"ping":${ping}`;
  if (pong) members += ',"pong":true';
  if (session) members += `,"session":${jsonString(session)}`;
  if (node) members += `,"node":${jsonString(node)}`;
  if (time) members += `,"time":${time}`;
  return `{${members.slice(1)}}`;
}

function encodeSubs(subs: ReadonlyMap<string, SubscribeResult>): ByteString {
  let entries = '';
  for (const [channel, result] of subs) entries += `,${jsonString(channel)}:${encodeSubscribeResult(result)}`;
  return entries.slice(1);
}

/** See {@link encodeConnectResult}. */
export function encodeSubscribeResult(result: SubscribeResult): ByteString {
  const { expires, ttl, recoverable, epoch, publications, recovered, offset, positioned } = result;
  let members = '';
  if (expires) members += ',"expires":true';
  if (ttl) members += `,"ttl":${ttl}`;
  if (recoverable) members += ',"recoverable":true';
  if (epoch) members += `,"epoch":${jsonString(epoch)}`;
  if (publications?.length) {
    let items = '';
    for (const publication of publications) items += `,{${publicationMembers(publication, publication.delta)}}`;
    members += `,"publications":[${items.slice(1)}]`;
  }
  if (recovered) members += ',"recovered":true';
  if (offset) members += `,"offset":${offset}`;
  if (positioned) members += ',"positioned":true';
  if (result.data !== undefined) members += `,"data":${onOneLine(result.data)}`;
  if (result.was_recovering) members += ',"was_recovering":true';
  if (result.delta) members += ',"delta":true';
  return `{${members.slice(1)}}`;
}
