#!/usr/bin/env bash
# Writes the pages of this folder from the docstrings. The generator needs a TypeScript with its compiler as a library, so it lives beside the workspace.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../packages/realtime"
tools=.realtime/typedoc
mkdir -p "$tools"
npm install --prefix "$tools" --no-audit --no-fund --loglevel=error typedoc@0.28.20 typescript@5.9.3 typedoc-plugin-markdown@4.11.0
cat >"$tools/tsconfig.json" <<'JSON'
{ "extends": "../../../../tsconfig.base.json", "compilerOptions": { "customConditions": ["@op/source"], "typeRoots": ["../../../../node_modules/@types"] }, "include": ["../../src", "../../../broker/src"] }
JSON
entries=()
while read -r entry; do entries+=(--entryPoints "$entry"); done < <(
  node -p '
    const source = (entry) => (typeof entry === "string" ? entry : source(entry.development ?? entry.browser ?? entry.default));
    Object.entries(require("./package.json").exports).filter(([name]) => !name.endsWith("/production")).map(([, entry]) => source(entry["@op/source"])).join("\n")
  '
)
document() {
  local out=$1
  shift
  node "$tools/node_modules/typedoc/bin/typedoc" --plugin typedoc-plugin-markdown --tsconfig "$tools/tsconfig.json" "$@" \
    --out "$out" --readme none --excludePrivate --excludeInternal --excludeExternals --disableSources --hideGenerator --skipErrorChecking --logLevel Error \
    --outputFileStrategy modules --hidePageHeader --hideBreadcrumbs --useCodeBlocks --parametersFormat table --interfacePropertiesFormat table --classPropertiesFormat table \
    --typeDeclarationFormat table --enumMembersFormat table
}
find ../../docs/api -mindepth 1 -not -name generate.sh -delete
rm -rf "$tools/out" "$tools/broker"
document "$tools/out" "${entries[@]}" --name @op/realtime
# A package with one entry point becomes one page.
document "$tools/broker" --entryPoints ../broker/src/index.ts --name broker
cp -r "$tools/out/." ../../docs/api/
cp "$tools/broker/README.md" ../../docs/api/broker.md
../../node_modules/.bin/tsx ../../test/finish-api-pages.ts
