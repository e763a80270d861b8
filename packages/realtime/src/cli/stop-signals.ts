const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Ctrl-C can arrive twice: from the terminal, and forwarded by the package manager. */
const SAME_KEY_PRESS_MS = 500;

/** Aborts at the first Ctrl-C, SIGTERM or closed terminal. A later one ends the process on the spot. Closed stdin is no reason to stop. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let firstAtMs = 0;
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (controller.signal.aborted && Date.now() - firstAtMs > SAME_KEY_PRESS_MS) process.exit(1);
      firstAtMs ||= Date.now();
      controller.abort();
    });
  return controller.signal;
}
