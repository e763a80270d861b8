export interface Note {
  readonly id: number;
  readonly text: string;
}

/** The database of this example. Next loads modules several times in one process, so it lives beside them. */
const scope = globalThis as { exampleNotes?: Note[] };
scope.exampleNotes ??= [{ id: 1, text: 'Rendered on the server' }];
const notes = scope.exampleNotes;

export function readNotes(): readonly Note[] {
  return [...notes];
}

export function addNote(text: string): Note {
  const note = { id: notes.length + 1, text };
  notes.push(note);
  return note;
}
