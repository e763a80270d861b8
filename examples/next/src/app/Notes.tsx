'use client';

import { useFreshness } from '@op/realtime/react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTRPC } from '../trpc/client.tsx';

export function Notes() {
  const trpc = useTRPC();
  const list = trpc.notes.list.queryOptions();
  const { data } = useQuery(list);
  const { state } = useFreshness(list.queryKey);
  const add = useMutation(trpc.notes.add.mutationOptions());
  const [text, setText] = useState('');
  return (
    <main>
      <h1>Notes</h1>
      <p data-testid="freshness">{state}</p>
      <ul>
        {data?.notes.map((note) => (
          <li key={note.id}>{note.text}</li>
        ))}
      </ul>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate({ text });
          setText('');
        }}
      >
        <input aria-label="New note" value={text} onChange={(event) => setText(event.target.value)} />
        <button type="submit" disabled={!text}>
          Add
        </button>
      </form>
    </main>
  );
}
