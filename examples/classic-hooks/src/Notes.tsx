import { useFreshness } from '@op/realtime/react';
import { getQueryKey } from '@trpc/react-query';
import { trpc } from './trpc.ts';

const SHOPPING = { list: 'shopping' };

/** No `invalidate`, no `refetch`, no channel: the server says what the list depends on. */
export function Notes() {
  const notes = trpc.notes.all.useQuery(SHOPPING);
  const count = trpc.notes.count.useQuery(SHOPPING);
  const add = trpc.notes.add.useMutation();
  const { state } = useFreshness(getQueryKey(trpc.notes.all, SHOPPING, 'query'));
  return (
    <main data-state={state}>
      <h1>Shopping ({count.data})</h1>
      <ul>
        {notes.data?.map(({ text, by }) => (
          <li key={text}>
            {text} ({by})
          </li>
        ))}
      </ul>
      <form action={(form) => add.mutate({ ...SHOPPING, text: String(form.get('text')) })}>
        <input name="text" aria-label="Note" />
        <button type="submit">Add</button>
      </form>
    </main>
  );
}
