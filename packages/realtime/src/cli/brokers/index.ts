import type { Engine } from '../engine.ts';
import { binary } from './binary.ts';
import { docker } from './docker.ts';
import { embedded } from './embedded.ts';
import type { BrokerKind } from './running-broker.ts';

export const BROKERS: Record<Engine, BrokerKind> = { docker, binary, embedded };
