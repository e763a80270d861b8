import type { Attributes, Meter } from '@opentelemetry/api';
import type { RealtimeEvent, RefetchEnded } from '../core/events.ts';
import { scopeOf } from '../core/telemetry-names.ts';

/** Counts what a tab is told and does. Attributes have few values: a scope (`trpc:org`) and never a whole channel, no keys, no users. */
export function meterEvents(meter: Meter): (event: RealtimeEvent) => void {
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  const joins = counter('op.realtime.client.joins', '{join}', 'Channels that were joined, or joined again');
  const losses = counter('op.realtime.client.losses', '{loss}', 'Channels that are not covered any more');
  const gaps = counter('op.realtime.client.gaps', '{gap}', 'Places where publications may have been missed');
  const publications = counter('op.realtime.client.publications', '{message}', 'Publications that arrived');
  const states = counter('op.realtime.client.states', '{change}', 'Changes of the state of the connection');
  const refetches = counter(
    'op.realtime.client.refetches',
    '{fetch}',
    'Fetches of bound queries, and what they brought',
  );
  const seconds = (name: string, description: string) => meter.createHistogram(name, { unit: 's', description });
  const duration = seconds('op.realtime.client.refetch.duration', 'How long fetches of bound queries took');
  const timeToFresh = seconds('op.realtime.client.time_to_fresh', 'From the first news to the data that contains it');

  return (event) => {
    switch (event.type) {
      case 'status':
        return states.add(1, { 'op.realtime.state': event.state, ...(event.code && { 'error.type': event.code }) });
      case 'joined':
        return joins.add(1, {
          ...ofScope(event.channel),
          'op.realtime.join': event.recovered ? 'recovered' : event.wasRecovering ? 'unrecovered' : 'first',
        });
      case 'lost':
        return losses.add(1, { ...ofScope(event.channel), 'op.realtime.loss': event.kind });
      case 'gap':
        return gaps.add(1, ofScope(event.channel));
      case 'publication':
        return publications.add(1, { ...ofScope(event.channel), 'op.realtime.recovered': event.recovered });
      case 'refetch-ended': {
        const attributes = attributesOf(event);
        refetches.add(1, attributes);
        duration.record(event.durationMs / 1_000, attributes);
        if (event.freshAfterMs !== null) timeToFresh.record(event.freshAfterMs / 1_000, causeOf(event));
        return;
      }
    }
  };
}

/** Why a fetch was made, and what it brought. */
export function attributesOf(event: RefetchEnded): Attributes {
  return { 'op.realtime.reason': event.fetch.reason, ...causeOf(event), 'op.realtime.outcome': event.outcome };
}

function causeOf({ fetch: { causes } }: RefetchEnded): Attributes {
  return { 'op.realtime.cause': causes[0]?.type ?? 'none' };
}

function ofScope(channel: string): Attributes {
  return { 'messaging.destination.template': scopeOf(channel) };
}
