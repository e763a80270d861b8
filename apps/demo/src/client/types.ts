import type { inferRouterOutputs } from '@trpc/server';
import type { AppRouter } from '../server/trpc/router.ts';

type Outputs = inferRouterOutputs<AppRouter>;

export type Person = Outputs['people']['list'][number];
export type Organisation = Outputs['organisation']['list'][number];
export type Post = Outputs['feed']['everybody'][number];
export type Notification = Outputs['user']['notifications']['items'][number];
