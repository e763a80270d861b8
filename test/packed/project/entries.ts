// Every entry that an application imports, as types and at run time.
import * as realtime from '@op/realtime';
import * as client from '@op/realtime/client';
import * as doctor from '@op/realtime/doctor';
import * as outbox from '@op/realtime/outbox';
import * as query from '@op/realtime/query';
import * as react from '@op/realtime/react';
import * as server from '@op/realtime/server';
import * as testing from '@op/realtime/testing';
import * as trpcClient from '@op/realtime/trpc/client';
import * as trpcServer from '@op/realtime/trpc/server';
import * as broker from '@op/realtime-broker';

const entries = {
  realtime,
  client,
  doctor,
  outbox,
  query,
  react,
  server,
  testing,
  trpcClient,
  trpcServer,
  broker,
};
for (const [name, entry] of Object.entries(entries))
  if (Object.keys(entry).length === 0) throw new TypeError(`the entry ${name} exports nothing`);
console.log(`${Object.keys(entries).length} entries`);
