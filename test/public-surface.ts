import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'vite';

/** A public name of an entry point, or a member of one. */
export interface PublicName {
  /** `RealtimeConfig`, or `RealtimeConfig.wsUrl`. */
  readonly name: string;
  /** Its docstring without the asterisks; `null` where there is none. */
  readonly docstring: string | null;
  /** What callers see of it: the declaration without the bodies of functions. */
  readonly signature: string;
  /** The file that declares it. */
  readonly file: string;
  /** For a member of a class: the same member of the interfaces that the class implements, which editors show where it has no docstring of its own. */
  readonly inheritsFrom: readonly string[];
}

/** The nodes of the parser, as far as they are used here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

interface Module {
  readonly file: string;
  readonly text: string;
  readonly body: readonly Node[];
  /** In their order. */
  readonly comments: readonly { readonly text: string; readonly end: number }[];
}

const modules = new Map<string, Module>();

/** Every public name of an entry file, in its order, each followed by its public members. */
export function publicNames(entry: string): readonly PublicName[] {
  return exportsOf(load(entry)).flatMap(({ name, module, local }) => declared(module, local, name));
}

interface Exported {
  readonly name: string;
  readonly module: Module;
  readonly local: string;
}

function exportsOf(module: Module): Exported[] {
  return module.body.flatMap((node) => {
    if (node.type !== 'ExportNamedDeclaration') return [];
    const source = node.source as { value: string } | null;
    const specifiers = node.specifiers as readonly { local: { name: string }; exported: { name: string } }[];
    if (!source) return declaredNames(node.declaration as Node | null).map((name) => ({ name, module, local: name }));
    const from = load(join(dirname(module.file), source.value));
    return specifiers.map(({ local, exported }) => follow(exported.name, from, local.name));
  });
}

/** Through files that only pass a name on. */
function follow(name: string, module: Module, local: string): Exported {
  const isHere = module.body.some((node) => declaredNames(declarationOf(node)).includes(local));
  if (isHere) return { name, module, local };
  const passedOn = exportsOf(module).find((other) => other.name === local);
  if (!passedOn) throw new RangeError(`${module.file} has no ${local}.`);
  return { ...passedOn, name };
}

function declared(module: Module, local: string, name: string): PublicName[] {
  // A type may share its name with the value that it is made from; functions may be overloaded.
  const nodes = module.body.filter((node) => declaredNames(declarationOf(node)).includes(local));
  const told = nodes.map((node) => describe(module, node, declarationOf(node) ?? node, name));
  const docstring = told.find((one) => one.docstring !== null)?.docstring ?? null;
  const own = { ...told[0]!, docstring, signature: told.map(({ signature }) => signature).join('\n') };
  return [own, ...nodes.flatMap((node) => membersOf(module, declarationOf(node) ?? node, name))];
}

function declarationOf(node: Node): Node | null {
  return node.type === 'ExportNamedDeclaration' ? (node.declaration as Node | null) : node;
}

function declaredNames(node: Node | null): string[] {
  if (!node) return [];
  if (node.type === 'VariableDeclaration')
    return (node.declarations as readonly { id: Node }[]).flatMap(({ id }) => patternNames(id));
  const { id } = node as { id?: { name?: string } | null };
  return id?.name ? [id.name] : [];
}

function patternNames(id: Node): string[] {
  if (id.type === 'Identifier') return [id.name as string];
  if (id.type !== 'ObjectPattern') return [];
  return (id.properties as readonly { value: Node }[]).flatMap(({ value }) => patternNames(value));
}

const MEMBERS = new Set(['TSPropertySignature', 'TSMethodSignature', 'MethodDefinition', 'PropertyDefinition']);

/** Public members of interfaces and classes, and of the objects that stand in them. */
function membersOf(module: Module, node: Node, owner: string): PublicName[] {
  const heritage = ((node.implements ?? []) as readonly { expression: { name: string } }[]).map(
    ({ expression }) => expression.name,
  );
  return memberNodes(node).flatMap((member) => {
    const key = member.key as Node;
    // The parameters of a constructor are those of the class, whose docstring tells.
    const isOwn = key.type === 'PrivateIdentifier' || member.accessibility || member.computed || member.override;
    if (isOwn || member.kind === 'constructor') return [];
    const name = `${owner}.${String(key.name ?? key.value)}`;
    const type = (member.typeAnnotation as { typeAnnotation?: Node } | null)?.typeAnnotation;
    // An object on one line is told by the docstring of what holds it.
    const isLong = type?.type === 'TSTypeLiteral' && module.text.slice(type.start, type.end).includes('\n');
    const inheritsFrom = heritage.map((parent) => `${parent}.${String(key.name ?? key.value)}`);
    return [
      { ...describe(module, member, member, name), inheritsFrom },
      ...(isLong ? membersOf(module, type, name) : []),
    ];
  });
}

function memberNodes(node: Node): readonly Node[] {
  const members =
    node.type === 'TSInterfaceDeclaration' || node.type === 'ClassDeclaration'
      ? (node.body as { body: readonly Node[] }).body
      : node.type === 'TSTypeLiteral'
        ? (node.members as readonly Node[])
        : node.type === 'TSTypeAliasDeclaration'
          ? memberNodes(node.typeAnnotation as Node)
          : [];
  return members.filter(({ type }) => MEMBERS.has(type));
}

function describe(module: Module, outer: Node, node: Node, name: string): PublicName {
  return {
    name,
    docstring: docstringBefore(module, outer.start),
    signature: signatureOf(module, node),
    file: module.file,
    inheritsFrom: [],
  };
}

function docstringBefore({ text, comments }: Module, start: number): string | null {
  const before = comments.findLast(({ end, text }) => end <= start && text.startsWith('/**'));
  if (!before) return null;
  // Comments of the linter may stand between.
  const between = text.slice(before.end, start).replace(/^\s*\/\/.*$/gm, '');
  return between.trim() === '' ? contentOf(before.text) : null;
}

/** A docstring without its asterisks. */
function contentOf(comment: string): string {
  return comment
    .slice(3, -2)
    .replace(/^\s*\* ?/gm, '')
    .trim();
}

/** The text of a declaration without bodies, comments and line breaks. */
function signatureOf({ text }: Module, node: Node): string {
  const bodies: Node[] = [];
  collect(node, bodies);
  let signature = '';
  let at = node.start;
  for (const body of bodies.sort((one, other) => one.start - other.start)) {
    if (body.start < at) continue;
    signature += `${text.slice(at, body.start)}…`;
    at = body.end;
  }
  signature += text.slice(at, node.end);
  return signature
    .replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function collect(node: unknown, bodies: Node[]): void {
  if (typeof node !== 'object' || node === null) return;
  const { type, key } = node as Partial<Node>;
  if (type === 'BlockStatement' || type === 'FunctionBody') {
    bodies.push(node as Node);
    return;
  }
  const isPrivate = (key as Node | undefined)?.type === 'PrivateIdentifier';
  if (isPrivate) bodies.push(node as Node);
  else for (const value of Object.values(node)) collect(value, bodies);
}

function load(file: string): Module {
  const known = modules.get(file);
  if (known) return known;
  const text = readFileSync(file, 'utf8');
  const { program, comments, errors } = parseSync(file, text);
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0]?.message}`);
  const module = {
    file,
    text,
    body: program.body as unknown as readonly Node[],
    comments: comments.map(({ start, end }) => ({ text: text.slice(start, end), end })),
  };
  modules.set(file, module);
  return module;
}

/** What an entry file says about itself, without its `@module`. */
export function moduleDocstring(entry: string): string {
  const [first] = load(entry).comments;
  if (!first?.text.includes('@module')) throw new RangeError(`${entry} has no docstring with @module.`);
  return contentOf(first.text).replace('@module', '').trim();
}
