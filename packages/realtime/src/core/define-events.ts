import { InvalidArgumentError, InvalidMessageError } from './errors.ts';
import type { EventMessage, Message } from './message.ts';

/** A schema of any library that speaks https://standardschema.dev, such as Zod, Valibot or ArkType; as far as it is used here. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the specification asks of a schema; schema libraries bring it. */
  readonly '~standard': {
    /** Of the specification. */
    readonly version: 1;
    /** Name of the schema library. */
    readonly vendor: string;
    /** Parses a value. A schema that answers with a promise is refused (`invalid_argument`). */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** For the compiler only: what goes in, and what comes out. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a Standard Schema says about a value: the parsed value, or why it is none. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One reason why a value does not pass. */
export interface StandardIssue {
  /** In words, by the schema library. */
  readonly message: string;
  /** Where in the value, from the outside in; nothing for the value itself. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The events of an app, by name. */
export type EventSchemas = Readonly<Record<string, StandardSchema>>;

type Types<Schema> = Schema extends { readonly '~standard': { readonly types?: infer T } } ? NonNullable<T> : never;
type InputOf<Schema> = Types<Schema> extends { readonly input: infer Input } ? Input : never;
type OutputOf<Schema> = Types<Schema> extends { readonly output: infer Output } ? Output : never;

/** One of the declared events, as its schema parsed it. Narrow it by `name`. */
export type DefinedEvent<Schemas extends EventSchemas> = {
  readonly [Name in keyof Schemas & string]: { readonly name: Name; readonly data: OutputOf<Schemas[Name]> };
}[keyof Schemas & string];

/** What `defineEvents` returns. */
export interface DefinedEvents<Schemas extends EventSchemas> {
  /**
   * A message to publish. What travels is `data` as it is given, which the schema must take: readers parse it again.
   * @throws InvalidMessageError (`invalid_message`): the data does not pass
   */
  readonly create: <Name extends keyof Schemas & string>(
    name: Name,
    data: InputOf<Schemas[Name]>,
  ) => EventMessage<Name, InputOf<Schemas[Name]>>;
  /**
   * Reads a message that came; `null` for one that is none of these events.
   * @throws InvalidMessageError (`invalid_message`): the data does not pass. A handler may let it through: it is reported to `onError` and stops nobody.
   */
  readonly read: (message: Message) => DefinedEvent<Schemas> | null;
}

/**
 * Declares an app's own events, so that both ends agree on their data. Schemas must validate synchronously.
 *
 * ```ts
 * export const events = defineEvents({ typing: z.object({ userId: z.string() }) });
 * await realtime.publish(Channels.org('7'), events.create('typing', { userId: '1' }), { skipHistory: true });
 * manager.subscribe(Channels.org('7'), (message) => {
 *   const event = events.read(message);
 *   if (event?.name === 'typing') show(event.data.userId);
 * });
 * ```
 */
export function defineEvents<const Schemas extends EventSchemas>(schemas: Schemas): DefinedEvents<Schemas> {
  const parse = (name: string, data: unknown): unknown => {
    const schema: StandardSchema | undefined = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    if (!schema)
      throw new InvalidMessageError(`There is no event ${JSON.stringify(name)}. Declared: ${Object.keys(schemas)}.`);
    const result = schema['~standard'].validate(data);
    if (result instanceof Promise)
      throw new InvalidArgumentError(`The schema of the event ${name} is asynchronous. Take one that answers at once.`);
    if (result.issues)
      throw new InvalidMessageError(`The event ${name} is not as declared: ${describe(result.issues)}`);
    return result.value;
  };
  return {
    create(name, data) {
      parse(name, data);
      return { type: 'event', name, data };
    },
    read(message) {
      if (message.type !== 'event' || !Object.hasOwn(schemas, message.name)) return null;
      return { name: message.name, data: parse(message.name, message.data) } as DefinedEvent<Schemas>;
    },
  };
}

/** The first few: what is wrong, and where. The data itself is not shown. */
function describe(issues: readonly StandardIssue[]): string {
  return issues
    .slice(0, 3)
    .map(({ message, path = [] }) => {
      const where = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
      return where ? `${where}: ${message}` : message;
    })
    .join('; ');
}
