import type { Figures, TargetAddress } from '../case.ts';
import { closeAll, connectAll, faults, loadClients, openApi, publishBody, until } from '../load.ts';
import { measureDeliveries } from '../measure-deliveries.ts';
import { Publisher } from '../publisher.ts';
import { WINDOW } from '../timing.ts';

/** Deliveries that may be under way where channels have one subscriber each. */
const UNDER_WAY = 1024;
const PREFIX = 'trpc:own:';

/**
 * Random publications to `channels` channels, spread evenly over `connections`: with as many of both, each connection has a channel of its own;
 * with fewer channels each has several subscribers; with more each connection has several channels.
 */
export async function randomChannels(target: TargetAddress, connections: number, channels: number): Promise<Figures> {
  const clients = loadClients(connections, (at) => {
    if (channels <= connections) return [PREFIX + (at % channels)];
    return Array.from({ length: Math.ceil((channels - at) / connections) }, (_, i) => PREFIX + (at + i * connections));
  });
  const sockets = await connectAll(target, clients, 50);
  const apis = openApi(target, 32);
  const published = new Uint32Array(channels);
  let delivered = 0;
  let expected = 0;
  // A fixed sequence, so that every target gets the same one.
  let seed = 1;
  const next = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % channels;
  };
  const underWay = Math.max(UNDER_WAY, (connections / channels) * WINDOW);
  const publisher = new Publisher(
    apis,
    () => {
      const at = next();
      published[at]!++;
      expected += channels <= connections ? Math.ceil((connections - at) / channels) : 1;
      return publishBody(PREFIX + at);
    },
    () => expected - delivered < underWay,
  );
  for (const socket of sockets)
    socket.onPublications = ({ length }) => {
      delivered += length;
      publisher.wake();
    };
  const figures = await measureDeliveries(target, () => delivered);
  await publisher.stop();
  await until(() => delivered >= expected);
  const publishedTo = (name: string) => published[Number(name.slice(PREFIX.length))]!;
  const result = {
    ...figures,
    faults: faults(sockets, (at) => clients[at]!.channels.reduce((sum, name) => sum + publishedTo(name), 0)),
  };
  closeAll(sockets, apis);
  return result;
}
