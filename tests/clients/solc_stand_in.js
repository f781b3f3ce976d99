#!/usr/bin/env node
// The npm package solc as an executable for the clients: `--version`, `--help`, `--standard-json`, and the
// `--combined-json LIST [FILE]` that py-solc-x uses (from standard input without FILE), made from Standard JSON.
const fs = require("fs");
const solc = require("PACKAGE");

const word = process.argv.slice(2);
const value = (name) => (word.includes(name) ? word[word.indexOf(name) + 1] : undefined);

const OUTPUTS = {
  abi: "abi", asm: "evm.legacyAssembly", bin: "evm.bytecode.object", "bin-runtime": "evm.deployedBytecode.object",
  devdoc: "devdoc", "function-debug": "evm.bytecode.functionDebugData",
  "function-debug-runtime": "evm.deployedBytecode.functionDebugData",
  "generated-sources": "evm.bytecode.generatedSources",
  "generated-sources-runtime": "evm.deployedBytecode.generatedSources", hashes: "evm.methodIdentifiers",
  metadata: "metadata", opcodes: "evm.bytecode.opcodes", srcmap: "evm.bytecode.sourceMap",
  "srcmap-runtime": "evm.deployedBytecode.sourceMap", "storage-layout": "storageLayout",
  "transient-storage-layout": "transientStorageLayout", userdoc: "userdoc",
};

function combined(parts) {
  const optimizer = { enabled: word.includes("--optimize") };
  if (value("--optimize-runs")) optimizer.runs = Number(value("--optimize-runs"));
  const file = word.find((part) => part.endsWith(".sol"));
  const name = file || "<stdin>";
  const selection = parts.map((part) => OUTPUTS[part]).filter((part) => part);
  const output = JSON.parse(solc.compile(JSON.stringify({
    language: "Solidity",
    sources: { [name]: { content: fs.readFileSync(file || 0, "utf8") } },
    settings: { optimizer, outputSelection: { "*": { "*": selection, "": parts.includes("ast") ? ["ast"] : [] } } },
  })));
  const errors = (output.errors || []).filter((error) => error.severity === "error");
  if (errors.length) {
    process.stderr.write(errors.map((error) => error.formattedMessage).join("\n"));
    process.exit(1);
  }
  const contracts = {};
  for (const [source, found] of Object.entries(output.contracts || {})) {
    for (const [contract, entry] of Object.entries(found)) {
      const pick = (part) => OUTPUTS[part].split(".").reduce((at, key) => (at === undefined ? at : at[key]), entry);
      contracts[`${source}:${contract}`] = Object.fromEntries(
        parts.filter((part) => part !== "ast").map((part) => [part, pick(part)])
      );
    }
  }
  const trees = Object.entries(output.sources || {}).map(([source, entry]) => [source, { AST: entry.ast }]);
  const version = solc.version().replace(".Emscripten.clang", "");
  return { contracts, sourceList: Object.keys(output.sources || {}), sources: Object.fromEntries(trees), version };
}

if (word.includes("--version")) {
  console.log("solc, the solidity compiler commandline interface\nVersion: " + solc.version());
} else if (word.includes("--help")) {
  console.log("  --combined-json " + [...Object.keys(OUTPUTS), "ast"].sort().join(","));
} else if (word.includes("--combined-json")) {
  console.log(JSON.stringify(combined(value("--combined-json").split(","))));
} else {
  process.stdout.write(solc.compile(fs.readFileSync(0, "utf8")));
}
