import { readFileSync } from 'node:fs'
import ts from 'typescript'

/** What one module takes from others and from its surroundings. */
export interface ModuleFacts {
  imports: { specifier: string; line: number }[]
  /** imports whose specifier is no literal */
  unreadable: number[]
  /** `export … from`, or `export { … }` of something imported */
  reExports: number[]
  /** uses of the environment, by name: `process.env`, `Date.now`, `console`, … */
  ambient: { name: string; line: number; isDefault: boolean }[]
  /** every free identifier, to find what a browser does not have */
  globals: { name: string; line: number }[]
}

const WATCHED: Readonly<Record<string, readonly string[]>> = {
  process: ['env', 'argv'],
  Date: ['now'],
  Math: ['random'],
}
const GLOBAL_OBJECTS = ['globalThis', 'global', 'window', 'self']

/** Reads a module with the TypeScript parser; type imports count like all others. */
export function readModule(file: string): ModuleFacts {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  const facts: ModuleFacts = { imports: [], unreadable: [], reExports: [], ambient: [], globals: [] }
  const imported = new Set<string>()
  const declared = declaredNames(source)
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1

  const addImport = (specifier: ts.Node | undefined, at: ts.Node) => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      facts.imports.push({ specifier: specifier.text, line: lineOf(at) })
    } else facts.unreadable.push(lineOf(at))
  }
  const addAmbient = (name: string, node: ts.Node) =>
    facts.ambient.push({ name, line: lineOf(node), isDefault: isInParameterDefault(node) })

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      addImport(node.moduleSpecifier, node)
      for (const name of importedNames(node)) imported.add(name)
      addProcessMembers(node, addAmbient)
    } else if (ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined) {
        addImport(node.moduleSpecifier, node)
        facts.reExports.push(lineOf(node))
      } else if (node.exportClause !== undefined && ts.isNamedExports(node.exportClause)) {
        const names = node.exportClause.elements.map((element) => (element.propertyName ?? element.name).text)
        if (names.some((name) => imported.has(name))) facts.reExports.push(lineOf(node))
      }
    } else if (ts.isImportEqualsDeclaration(node)) {
      if (ts.isExternalModuleReference(node.moduleReference)) addImport(node.moduleReference.expression, node)
    } else if (ts.isImportTypeNode(node)) {
      addImport(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, node)
    } else if (ts.isCallExpression(node) && isModuleCall(node)) {
      addImport(node.arguments[0], node)
    } else if (ts.isNewExpression(node) && isModuleUrl(node)) {
      addImport(node.arguments?.[0], node)
    } else if (isBareNewDate(node)) {
      addAmbient('new Date()', node)
    }
    const member = memberOf(node)
    if (
      member !== undefined &&
      WATCHED[member.object]?.includes(member.name) &&
      !declared.has(member.object)
    ) {
      addAmbient(`${member.object}.${member.name}`, node)
    }
    if (ts.isIdentifier(node) && isFree(node) && !declared.has(node.text)) {
      facts.globals.push({ name: node.text, line: lineOf(node) })
      if (node.text === 'console') addAmbient('console', node)
      const taken = destructured(node)
      for (const name of taken) {
        if (WATCHED[node.text]?.includes(name)) addAmbient(`${node.text}.${name}`, node)
      }
    }
    if (member !== undefined && GLOBAL_OBJECTS.includes(member.object) && !declared.has(member.object)) {
      facts.globals.push({ name: member.name, line: lineOf(node) })
      if (member.name === 'console') addAmbient('console', node)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  for (const reference of source.referencedFiles) {
    facts.imports.push({ specifier: reference.fileName, line: 1 })
  }
  return facts
}

/** `require('…')`, `import('…')`, `import.meta.resolve('…')`. */
function isModuleCall({ expression }: ts.CallExpression): boolean {
  if (expression.kind === ts.SyntaxKind.ImportKeyword) return true
  if (ts.isIdentifier(expression)) return expression.text === 'require'
  return (
    ts.isPropertyAccessExpression(expression) &&
    ts.isMetaProperty(expression.expression) &&
    expression.name.text === 'resolve'
  )
}

/** `new URL('./a.ts', import.meta.url)`: how workers and child processes are named. */
function isModuleUrl({ expression, arguments: given }: ts.NewExpression): boolean {
  const [target, base] = given ?? []
  if (!ts.isIdentifier(expression) || expression.text !== 'URL' || base === undefined) return false
  const ofModule =
    ts.isPropertyAccessExpression(base) && ts.isMetaProperty(base.expression) && base.name.text === 'url'
  return (
    ofModule && target !== undefined && (!ts.isStringLiteralLike(target) || /\.[cm]?[jt]s$/.test(target.text))
  )
}

/** `new Date`, `new Date()` and `Date()`: the clock, where `new Date(value)` is arithmetic. */
function isBareNewDate(node: ts.Node): boolean {
  if (!(ts.isNewExpression(node) || ts.isCallExpression(node))) return false
  if (!ts.isIdentifier(node.expression) || node.expression.text !== 'Date') return false
  return ts.isCallExpression(node) || (node.arguments?.length ?? 0) === 0
}

/** `a.b` and `a['b']`; `globalThis.a.b` is `a.b` too. */
function memberOf(node: ts.Node): { object: string; name: string } | undefined {
  const name = ts.isPropertyAccessExpression(node)
    ? node.name.text
    : ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)
      ? node.argumentExpression.text
      : undefined
  if (name === undefined) return undefined
  const { expression } = node as ts.PropertyAccessExpression | ts.ElementAccessExpression
  if (ts.isIdentifier(expression)) return { object: expression.text, name }
  const outer = memberOf(expression)
  return outer !== undefined && GLOBAL_OBJECTS.includes(outer.object)
    ? { object: outer.name, name }
    : undefined
}

/** The names in `const { a, b } = identifier`. */
function destructured(identifier: ts.Identifier): string[] {
  const { parent } = identifier
  if (!ts.isVariableDeclaration(parent) || parent.initializer !== identifier) return []
  if (!ts.isObjectBindingPattern(parent.name)) return []
  return parent.name.elements.map(({ propertyName, name }) => (propertyName ?? name).getText())
}

/** Whether a name stands for a value or type of its surroundings: no member, no key, no declaration. */
function isFree(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (ts.isQualifiedName(parent)) return parent.left === node
  if (ts.isShorthandPropertyAssignment(parent)) return true
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node
  if (ts.isBindingElement(parent)) return parent.initializer === node
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false
  return (
    !(ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent) || ts.isMethodDeclaration(parent)) ||
    parent.name !== node
  )
}

/** Default values of parameters, where an edge may be left out by those who do not care. */
function isInParameterDefault(node: ts.Node): boolean {
  for (let at = node; at.parent !== undefined; at = at.parent) {
    if ((ts.isParameter(at.parent) || ts.isBindingElement(at.parent)) && at.parent.initializer === at)
      return true
    if (ts.isBlock(at.parent)) return false
  }
  return false
}

/** `import { env } from 'node:process'` is `process.env` by another name. */
function addProcessMembers(node: ts.ImportDeclaration, add: (name: string, node: ts.Node) => void): void {
  if (!ts.isStringLiteral(node.moduleSpecifier) || !/^(?:node:)?process$/.test(node.moduleSpecifier.text))
    return
  const bindings = node.importClause?.namedBindings
  if (bindings === undefined || !ts.isNamedImports(bindings)) return
  for (const element of bindings.elements) {
    const name = (element.propertyName ?? element.name).text
    if (WATCHED.process?.includes(name)) add(`process.${name}`, element)
  }
}

function importedNames({ importClause }: ts.ImportDeclaration): string[] {
  if (importClause === undefined) return []
  const { name, namedBindings } = importClause
  const names = name === undefined ? [] : [name.text]
  if (namedBindings === undefined) return names
  return ts.isNamespaceImport(namedBindings)
    ? [...names, namedBindings.name.text]
    : [...names, ...namedBindings.elements.map((element) => element.name.text)]
}

/** Names that the module gives to things of its own; imported names are not among them. */
function declaredNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    const declares =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      ts.isTypeParameterDeclaration(node)
    if (declares && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return names
}
