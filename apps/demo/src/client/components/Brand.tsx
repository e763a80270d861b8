export function Brand() {
  return (
    <span className="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <circle cx="16" cy="16" r="4" />
        <path d="M8.6 8.6a10.5 10.5 0 0 0 0 14.8M23.4 8.6a10.5 10.5 0 0 1 0 14.8" />
      </svg>
      Commons
    </span>
  );
}
