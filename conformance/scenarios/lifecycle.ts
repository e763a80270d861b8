import { expect } from 'vitest';
import { type Scenario, scenarios } from '../scenario.ts';

/** How a server ends. Each scenario has a server of its own. */
export const lifecycleScenarios: readonly Scenario[] = scenarios(
  'lifecycle',
  'standard',
  {
    'a graceful stop closes every client with 3001': async (t) => {
      const wires = await Promise.all([t.connect(), t.connect(), t.connect({})]);
      const ended = t.server.close();
      for (const wire of wires) expect(await wire.closeCode()).toEqual({ code: 3001, reason: 'shutdown' });
      await ended;
      await expect(fetch(`${t.server.nodes[0]}/health`)).rejects.toThrow();
    },
    'a graceful stop drops those who have not connected yet without a close frame': async (t) => {
      const wire = await t.open();
      const ended = t.server.close();
      expect(await wire.closeCode()).toEqual({ code: 1006, reason: '' });
      await ended;
    },
  },
  { ownServer: true },
);
