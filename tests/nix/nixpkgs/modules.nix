# lib's module system, as far as the modules of this flake and the tests' hosts use it. Written after the behaviour of
# lib/modules.nix and lib/types.nix of nixpkgs (2026-06-14), with their words; the tests run on those too (docs/nix.md).
lib:
let
  inherit (builtins)
    attrNames
    attrValues
    concatMap
    concatStringsSep
    filter
    foldl'
    head
    isAttrs
    isFunction
    isList
    length
    listToAttrs
    map
    ;

  show = concatStringsSep ".";
  names = sets: attrNames (foldl' (all: set: all // set) { } sets);

  # A module as it may be written -> what the rest of this file reads. `at` and `from` are its key and file if it has none.
  structured =
    args: at: from: written:
    let
      module = if isFunction written then written args else written;
      common = {
        file = module._file or from;
        key = module.key or at;
        class = module._class or null;
        imports = module.imports or [ ];
      };
      odd = attrNames (removeAttrs module [ "_class" "_file" "key" "imports" "options" "config" "meta" ]);
    in
    if module ? config || module ? options then
      if odd != [ ] then
        throw "Module `${common.key}' has an unsupported attribute `${head odd}'."
      else
        common // { options = module.options or { }; config = module.config or { }; }
    else
      common // { options = { }; config = removeAttrs module [ "_class" "_file" "key" "imports" ]; };

  # The modules, and what they import. A module's key is its own, or its place below the one that imports it.
  collected =
    args: class: at: from: modules:
    concatMap (
      number:
      let
        module = structured args "${at}:anon-${toString number}" from (builtins.elemAt modules number);
      in
      if class != null && module.class != null && module.class != class then
        throw "The module `${module.file}` (class: \"${module.class}\") cannot be imported into a module evaluation that expects class \"${class}\"."
      else
        [ module ] ++ collected args class module.key module.file module.imports
    ) (builtins.genList (number: number) (length modules));
  once = foldl' (all: module: if builtins.any (each: each.key == module.key) all then all else all ++ [ module ]) [ ];

  # mkIf and mkMerge around a set of definitions, brought down to each of them, so that no condition is read for its names.
  pushed =
    set:
    if (set._type or "") == "if" then
      map (builtins.mapAttrs (_: lib.mkIf set.condition)) (pushed set.content)
    else if (set._type or "") == "merge" then
      concatMap pushed set.contents
    else
      [ set ];
  # And opened, around a value: the values that are really set.
  opened =
    value:
    if (value._type or "") == "if" then
      if value.condition then opened value.content else [ ]
    else if (value._type or "") == "merge" then
      concatMap opened value.contents
    else
      [ value ];
  overridden = value: if (value._type or "") == "override" then value else lib.mkOverride 100 value;
  # Of an option's definitions, those of the lowest priority number.
  chosen =
    definitions:
    let
      all = map overridden definitions;
      lowest = foldl' (least: each: if each.priority < least then each.priority else least) 9999 all;
    in
    map (each: each.content) (filter (each: each.priority == lowest) all);

  isOption = value: (value._type or "") == "option";
  declared =
    at: modules:
    let
      having = name: filter (module: module.options ? ${name}) modules;
      at' = name: at ++ [ name ];
    in
    listToAttrs (
      map (name: {
        inherit name;
        value =
          let
            places = having name;
            values = map (module: module.options.${name}) places;
          in
          if !(isOption (head values)) then
            declared (at' name) (map (module: module // { options = module.options.${name}; }) places)
          else if length values > 1 then
            throw "The option `${show (at' name)}' in `${(head places).file}' is already declared in `${(builtins.elemAt places 1).file}'."
          else
            head values;
      }) (names (map (module: module.options) modules))
    );

  valued =
    at: options: definitions:
    let
      unknown = filter (name: !(options ? ${name})) (names definitions);
    in
    if unknown != [ ] then
      throw "The option `${show (at ++ [ (head unknown) ])}' does not exist."
    else
      builtins.mapAttrs (
        name: option:
        let
          given = map (each: each.${name}) (filter (each: each ? ${name}) definitions);
        in
        if isOption option then
          merged (at ++ [ name ]) option (concatMap opened given)
        else
          valued (at ++ [ name ]) option (concatMap pushed given)
      ) options;
  merged =
    at: option: set:
    let
      type = option.type or lib.types.raw;
      all = chosen (if option ? default then [ (lib.mkOverride 1500 option.default) ] ++ set else set);
    in
    if all == [ ] then
      throw "The option `${show at}' was accessed but has no value defined. Try setting the option."
    else
      (option.apply or (value: value)) (typed type at all);
  typed =
    type: at: all:
    if builtins.all type.check all then
      type.merge at all
    else
      throw "A definition for option `${show at}' is not of type `${type.description}'.";

  one =
    at: all:
    if length all == 1 || builtins.all (value: value == head all) all then head all else throw "The option `${show at}' has conflicting definition values.";
  type = description: check: merge: { inherit description check merge; _type = "option-type"; };
in
{
  evalModules =
    { modules, specialArgs ? { }, class ? null }:
    let
      args = { inherit lib config options; } // specialArgs;
      all = once (collected args class "" "<unknown-file>" modules);
      options = declared [ ] all;
      config = valued [ ] options (concatMap (module: pushed module.config) all);
    in
    { inherit options config; };

  mkOption = option: option // { _type = "option"; };
  mkEnableOption = name: lib.mkOption {
    type = lib.types.bool;
    default = false;
    example = true;
    description = "Whether to enable ${name}.";
  };
  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkOverride = priority: content: { _type = "override"; inherit priority content; };
  mkDefault = lib.mkOverride 1000;
  literalExpression = text: { _type = "literalExpression"; inherit text; };
  literalMD = text: { _type = "literalMD"; inherit text; };

  types = rec {
    raw = type "raw value" (_: true) one;
    bool = type "boolean" builtins.isBool one;
    str = type "string" builtins.isString one;
    lines = type "strings concatenated with \"\\n\"" builtins.isString (_: concatStringsSep "\n");
    package = type "package" (value: (value.type or "") == "derivation") (_: head);
    attrs = type "attribute set" isAttrs (_: foldl' (a: b: a // b) { });
    nullOr =
      of:
      type "null or ${of.description}" (value: value == null || of.check value) (
        at: all: if filter (value: value != null) all == [ ] then null else of.merge at all
      );
    listOf =
      of:
      type "list of ${of.description}" isList (
        at: all: map (value: typed of at [ value ]) (builtins.concatLists all)
      );
    attrsOf =
      of:
      type "attribute set of ${of.description}" isAttrs (
        at: all:
        let
          set = name: chosen (concatMap (each: if each ? ${name} then opened each.${name} else [ ]) all);
          kept = filter (name: set name != [ ]) (names all);
        in
        listToAttrs (map (name: { inherit name; value = typed of (at ++ [ name ]) (set name); }) kept)
      );
    lazyAttrsOf = attrsOf;
  };
}
