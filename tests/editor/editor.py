"""Asks a rust-analyzer what it shows inside of `chain!`, and says what is not as it should be.

    RUST_ANALYZER=path/to/rust-analyzer python3 tests/editor/editor.py [--figures]

Without the sources of std, rust-analyzer would have rustup fetch them into the toolchain, unasked: it is told that there are none.

The crate that is opened is `main.rs` beside this file, put into a directory of its own, since rust-analyzer would load the whole workspace. `CHAIN` names
another checkout of this repository, to compare with; `--figures` prints each answer and fails for none.
"""

import json, os, shutil, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
CHAIN = os.environ.get("CHAIN", os.path.dirname(os.path.dirname(HERE)))
FIGURES = "--figures" in sys.argv


def environment(root):
    """Nothing is fetched: where std's sources are not there, they are missing."""
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip()
    if os.path.isdir(sysroot + "/lib/rustlib/src/rust/library/core") or "RUST_SRC_PATH" in os.environ:
        return None
    os.makedirs(root + "/without-std/core")
    return {**os.environ, "RUST_SRC_PATH": root + "/without-std", "RUSTUP_DIST_SERVER": "http://127.0.0.1:9"}


class Server:
    """A rust-analyzer that has opened the crate."""

    def __init__(self, root):
        environs = environment(root)
        self.has_std = environs is None
        command = [os.environ.get("RUST_ANALYZER", "rust-analyzer")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root, env=environs)
        self.uri = "file://" + root + "/src/main.rs"
        self.asked, self.version, self.answers, self.wrong, self.status = 0, 0, {}, [], {}
        threading.Thread(target=self.read, daemon=True).start()
        completion = {"completionItem": {"snippetSupport": True}}
        capabilities = {
            "textDocument": {"hover": {"contentFormat": ["plaintext"]}, "completion": completion, "publishDiagnostics": {}},
            "experimental": {"serverStatusNotification": True},
        }
        options = {"checkOnSave": False, "procMacro": {"enable": True}, "cargo": {"buildScripts": {"enable": True}}}
        answer = self.ask("initialize", {"processId": None, "rootUri": "file://" + root, "capabilities": capabilities, "initializationOptions": options})
        self.kinds = answer["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"]
        self.tell("initialized", {})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def tell(self, method, params):
        self.send({"method": method, "params": params})

    def ask(self, method, params):
        self.asked += 1
        asked, until = self.asked, time.time() + 60
        self.send({"id": asked, "method": method, "params": params})
        while asked not in self.answers:
            if time.time() > until:
                sys.exit("rust-analyzer does not answer " + method)
            time.sleep(0.01)
        return self.answers.pop(asked)

    def read(self):
        out = self.process.stdout
        while True:
            length = 0
            while True:
                line = out.readline()
                if not line:
                    return
                if line == b"\r\n":
                    break
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            message = json.loads(out.read(length))
            if "id" in message and "method" in message:
                self.send({"id": message["id"], "result": None})
            elif "id" in message:
                self.answers[message["id"]] = message.get("result", message.get("error"))
            elif message["method"] == "textDocument/publishDiagnostics" and message["params"]["uri"] == self.uri:
                self.wrong = message["params"]["diagnostics"]
            elif message["method"] == "experimental/serverStatus":
                self.status = message["params"]

    def show(self, text):
        """Puts this text in place of the crate's."""
        self.version += 1
        document = {"uri": self.uri, "version": self.version}
        if self.version == 1:
            self.tell("textDocument/didOpen", {"textDocument": {**document, "languageId": "rust", "text": text}})
            until = time.time() + 240
            while not self.status.get("quiescent") and time.time() < until:
                time.sleep(0.1)
        else:
            self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
        # For what is told, and not asked: diagnostics.
        time.sleep(1)

    def at(self, method, place, **more):
        return self.ask("textDocument/" + method, {"textDocument": {"uri": self.uri}, "position": place, **more})


def place(text, within, word, behind=False):
    """Where a word stands, or ends, in a piece of the text."""
    begin = text.index(within)
    offset = begin + within.index(word) + (len(word) if behind else 1)
    return {"line": text.count("\n", 0, offset), "character": offset - text.rfind("\n", 0, offset) - 1}


class Questions:
    def __init__(self, server, text):
        self.server, self.original, self.text, self.failed, self.asked = server, text, text, 0, 0

    def write(self, old, new):
        """Replaces a piece of the original text."""
        assert old in self.original, old
        self.text = self.original.replace(old, new)
        self.server.show(self.text)

    def verdict(self, what, is_good, answer):
        self.asked += 1
        self.failed += not is_good
        if FIGURES or not is_good:
            print(("  " if is_good else "! ") + what + ": " + str(answer)[:400].replace("\n", " | "))

    def definition(self, within, word, wanted):
        """One place: the line that begins so."""
        found = self.server.at("definition", place(self.text, within, word)) or []
        lines = self.text.split("\n")

        def line(link):
            uri = link.get("targetUri", link.get("uri"))
            number = (link.get("targetSelectionRange") or link.get("range"))["start"]["line"]
            return lines[number].strip() if uri == self.server.uri else uri.split("/")[-1] + ":" + str(number + 1)

        found = [line(link) for link in found]
        self.verdict("definition of `%s` in `%s`" % (word, within), len(found) == 1 and found[0].startswith(wanted), (len(found), found[:4]))

    def hover(self, within, word, *wanted, longest=700):
        answer = self.server.at("hover", place(self.text, within, word))
        shown = (answer or {}).get("contents", {}).get("value", "")
        noise = "extern crate" in shown or "automatically_derived" in shown or len(shown) > longest
        self.verdict("hover over `%s` in `%s`" % (word, within), all(part in shown for part in wanted) and not noise, (len(shown), shown))

    def completion(self, within, behind, *wanted):
        answer = self.server.at("completion", place(self.text, within, behind, behind=True))
        items = answer.get("items", answer) if isinstance(answer, dict) else answer or []
        inserted = [item.get("textEdit", {}).get("newText", item["label"]).removesuffix("$0") for item in items]
        missing = [word for word in wanted if word not in inserted]
        self.verdict("completion behind `%s` in `%s`" % (behind, within), not missing, (len(items), "without", missing, "like", [text for text in inserted if any(word in text for word in wanted)]))

    def colors(self, within, **wanted):
        """What each of these words is shown as."""
        data = self.server.ask("textDocument/semanticTokens/full", {"textDocument": {"uri": self.server.uri}})["data"]
        lines, wanted_line = self.text.split("\n"), self.text.count("\n", 0, self.text.index(within))
        line, column, found = 0, 0, {}
        for down, right, length, kind, _ in zip(*[iter(data)] * 5):
            line, column = line + down, right + (0 if down else column)
            if line == wanted_line:
                found[lines[line][column : column + length]] = self.server.kinds[kind]
        self.verdict("colors in `%s`" % within, all(found.get(word) == kind for word, kind in wanted.items()) and "{" not in found, found)

    def lines(self, what, found, wanted):
        found = sorted(link["range"]["start"]["line"] + 1 for link in found or [])
        wanted = sorted(self.text.count("\n", 0, self.text.index(line)) + 1 for line in wanted)
        self.verdict(what, found == wanted, (found, "where there should be", wanted))


def ask(questions):
    q = questions
    row = "log => auth => answer"
    q.server.show(q.text)
    wrong = [(each["message"][:100], each["range"]["start"]["line"] + 1) for each in q.server.wrong]
    # Without std all of it is unknown, and rust-analyzer says so.
    wrong = wrong if q.server.has_std else []
    q.verdict("nothing is wrong", not wrong, wrong)

    q.definition(row, "auth", "async fn auth")
    q.definition(row, "answer", "async fn answer")
    q.definition(row, "log", "pub struct Gateway { log: AccessLog }")
    q.definition("gateway.run", "run", "async fn(request: Request)")
    q.definition("Gateway::NODES", "NODES", "async fn(request: Request) -> Response { log")
    q.definition("struct Gateway { log: AccessLog }", "AccessLog", "pub struct AccessLog")
    q.definition("async fn(request: Request) -> Response { log", "Response", "pub struct Response")
    q.definition("match route {", "route", "fn route")
    q.definition("Route::Api(api: Api) =>", "Route", "pub enum Route")
    q.definition("Route::Api(api: Api) =>", "Api(", "Api(Api)")
    q.definition("=> pages::api,", "api,", "pub fn api")
    q.definition("=> pages::api,", "pages", "mod pages")
    q.definition("if is_internal { pages::files }", "is_internal", "fn is_internal")
    q.definition("if is_internal { pages::files }", "files", "pub fn files")
    q.definition("else { auth => answer }", "auth", "async fn auth")
    q.definition("catch {", "catch", "catch: CatchPanic")
    q.definition("..front => catch", "front", "segment front")
    q.definition("{ log => #[when(is_internal)]", "log", "segment front(log: AccessLog)")
    q.definition("#[when(is_internal)]", "is_internal", "fn is_internal")
    q.definition("count::<u8>", "count", "fn count")
    q.definition("-> usize { words }", "words", "fn words")
    q.definition("chain!(greet => quota", "greet", "fn greet")
    q.definition("quota: Quota = Quota(1)", "Quota", "pub struct Quota")
    q.definition("short.run", "short", "let short")
    q.definition("short.run", "run", "let short = chain!(greet")
    q.definition("Edge::drawing", "drawing", "async fn(request: Request) -> Response {")

    q.hover(row, "auth", "async fn auth(request: &Request) -> Result<User, Refused>", "Says who asks")
    q.hover(row, "log", "log: AccessLog")
    q.hover(row, "answer", "async fn answer(user: &User) -> Response", "Says hello")
    q.hover("gateway.run", "run", "async fn run(&self, request: Request) -> Response", "log => auth => answer")
    if q.server.has_std:
        q.hover("let future", "future", "Future<Output = Response>")
        q.hover("let ending", "ending", "Future<Output = Ending>")
        q.hover("let edge", "edge", "Edge")
        q.hover("edge.run", "run", "Goes through the edge")
        q.hover("let token", "token", "String")
    q.hover("let nodes", "nodes", "NodeInfo")
    q.hover("Gateway::NODES", "NODES", "NodeInfo", "in order")
    q.hover("let drawing", "drawing", "Drawing")
    q.hover("let counted", "counted", "usize")
    q.hover("let status", "status", "u16")
    q.hover("async fn(request: Request) -> Response { log", "request", "request: Request")
    q.hover("struct Gateway { log: AccessLog }", "Gateway", "The gateway")
    q.hover("struct Gateway { log: AccessLog }", "AccessLog", "struct AccessLog")
    q.hover("#[node]\nasync fn auth", "auth", "async fn auth")
    q.hover("Route::Api(api: Api) =>", "api", "api: Api")
    q.hover("match route {", "route", "fn route(request: &Request) -> Route", "Where it goes")
    q.hover("..front => catch", "front", "mod front", "What all chains begin with")
    q.hover("..front => catch", "catch", "catch: CatchPanic")
    q.hover("count::<u8>", "count", "fn count", "Counts it")
    q.hover("chain!(greet => quota", "greet", "fn greet", "Greets")
    q.hover("short.run", "run", "async fn run(&self, context: &mut chain_runtime::Context) -> chain_runtime::Ending")

    q.colors(row, log="property", auth="function", answer="function", request="parameter", Response="struct")
    q.colors("Route::Api(api: Api) =>", Route="enum", pages="namespace")
    q.colors("Route::Static => if", Static="enumMember", is_internal="function", files="function")
    q.colors("..front => catch", front="namespace", catch="property")

    where = place(q.text, "async fn auth", "auth")
    found = q.server.at("references", where, context={"includeDeclaration": True})
    q.lines("references of `auth`", found, ["async fn auth", "Response { log => auth", "else { auth"])
    renamed = q.server.at("rename", where, newName="authenticate")
    edits = [edit for document in (renamed or {}).get("documentChanges", []) for edit in document["edits"]]
    q.lines("renaming `auth`", edits, ["async fn auth", "Response { log => auth", "else { auth"])
    renamed = q.server.at("rename", place(q.text, "struct Gateway { log", "log"), newName="journal")
    edits = [edit for document in (renamed or {}).get("documentChanges", []) for edit in document["edits"]]
    q.lines("renaming `log`", edits, ["pub struct Gateway {", "Response { log => auth", "let gateway = Gateway {"])

    nodes = ("auth", "answer", "log")
    for unfinished in ("log => ", "log => au", "log => auth => ", "log => auth => ans", "", "lo"):
        q.write(row, unfinished)
        q.completion("-> Response { " + unfinished, unfinished or "Response { ", *nodes)
        if "auth" in unfinished:
            q.hover(unfinished, "auth", "async fn auth(request: &Request)", "Says who asks")
            q.definition(unfinished, "auth", "async fn auth")
        q.hover("gateway.run", "run", "async fn run(&self, request: Request) -> Response")
    for unfinished, behind in (
        ("log => { }", "{ "),
        ("log => { au }", "{ au"),
        ("log => {  => answer }", "{ "),
        ("log => auth =>  => answer", "=>  "),
        ("log =>  => answer", "=> "),
        ("#[when()] log", "when("),
        ("#[when(is_)] log", "is_"),
        ("log => match  { _ => answer }", "match "),
        ("log => match ", "match "),
        ("log => if ", "if "),
        ("log => if  { answer }", "if "),
        ("log => match route { _ =>  }", "_ => "),
        ("log => match route { Route::Static => , _ => answer }", "Static => "),
        ("log => match route { Route::Static => auth => , _ => answer }", "auth => "),
        ("log => match route { Route::Static => an, _ => answer }", "=> an"),
        ("log => if is_internal { } else { answer }", "internal { "),
        ("log => if is_internal { answer } else {  }", "else { "),
        ("log => auth.await => ", "await => "),
        ("log => auth(request) => ", "(request) => "),
        ("log => auth? => ", "? => "),
        ("log -> auth -> ", "-> auth -> "),
    ):
        q.write(row, unfinished)
        q.completion("-> Response { " + unfinished, behind, *nodes)
        if "auth" in unfinished:
            q.hover(unfinished, "auth", "async fn auth(request: &Request)", "Says who asks")
            q.definition(unfinished, "auth", "async fn auth")
        q.definition(unfinished, "log", "pub struct Gateway { log: AccessLog }")
        q.hover("gateway.run", "run", "async fn run(&self, request: Request) -> Response")
    for unfinished, behind, wanted in (
        ("log => pages::", "pages::", ("api", "files")),
        ("log => pages::f", "pages::f", ("files",)),
        ("log => pages:: => answer", "pages::", ("api", "files")),
        ("log => match route { Route:: }", "Route::", ("Static",)),
        ("log => match route { Route::Static => answer, Route:: => answer }", "answer, Route::", ("Static",)),
        ("log => match route { Route::Api(api: Ap) => answer, _ => answer }", "api: Ap", ("Api",)),
        ("log => if let Route:: = route { answer } else { answer }", "let Route::", ("Static",)),
        ("log => match ro { _ => answer }", "match ro", ("route",)),
        ("log => ..fr", "..fr", ("front",)),
        ("log => pages::api { answer }", "pages::", ("api", "files")),
    ):
        q.write(row, unfinished)
        q.completion(unfinished, behind, *wanted)
        q.definition(unfinished, "log", "pub struct Gateway { log: AccessLog }")
    q.write("struct Gateway { log: AccessLog }", "struct Gateway { log: AccessLog, other: Acc }")
    q.completion("other: Acc", "other: Acc", "AccessLog")
    q.write("struct Gateway { log: AccessLog }", "struct Gateway { log: AccessLog, other: }")
    q.hover(row, "auth", "async fn auth(request: &Request)", "Says who asks")
    q.write("async fn(request: Request) -> Response { log", "async fn(request: Req) -> Response { log")
    q.completion("request: Req)", "request: Req", "Request")
    q.write("async fn(request: Request) -> Response { log", "async fn(request: Request) -> Resp { log")
    q.completion("-> Resp ", "-> Resp", "Response")
    q.write("async fn(request: Request) -> Response { log", "async fn(request: ) -> Response { log")
    q.hover(row, "auth", "async fn auth(request: &Request)", "Says who asks")
    q.write("chain!(greet => quota: Quota = Quota(1) => greet)", "chain!(greet => )")
    q.completion("chain!(greet => )", "=> ", "greet")
    q.definition("chain!(greet => )", "greet", "fn greet")
    q.write("chain!(greet => quota: Quota = Quota(1) => greet)", "chain!(gre)")
    q.completion("chain!(gre)", "gre", "greet")
    q.write("{ log => #[when(is_internal)] count::<u8> }", "{ log => co }")
    q.completion("{ log => co }", "co", "count")
    q.definition("{ log => co }", "log", "segment front(log: AccessLog)")
    q.write("quota: Quota = Quota(1) =>", "quota: Quo = Quota(1) =>")
    q.completion("quota: Quo =", "quota: Quo", "Quota")
    q.write("    /// The gateway.\n", "    /// The gateway, with [`auth`].\n    #[observe(Acc)]\n")
    q.completion("#[observe(Acc)]", "Acc", "AccessLog")
    q.hover("with [`auth`]", "auth", "async fn auth")

    q.write("async fn auth(request: &Request)", "async fn auth(request: &Re)")
    q.completion("async fn auth(request: &Re)", "&Re", "Request", "Response")
    for unfinished in ("async fn auth(request: ) -> Result<User, Refused>", "async fn auth(request: &Request) -> "):
        q.write("async fn auth(request: &Request) -> Result<User, Refused>", unfinished)
        q.hover(row, "auth", "async fn auth", "Says who asks")
        q.definition(row, "auth", "async fn auth")
    q.write("fn exit(&self, started: &u64, reply: &Response)", "fn exit(&self, started: &u64, reply: &Resp)")
    q.completion("reply: &Resp)", "&Resp", "Response")
    q.write("let status = reply.0;", "let status = reply.0; self.")
    q.completion("self.", "self.", "enter()")
    q.write("let token = request.token.clone();", "let token = request.token.clone(); request.")
    q.completion("clone(); request.", "request.", "path", "token")


def crate():
    root = tempfile.mkdtemp(prefix="chain-editor-")
    os.mkdir(root + "/src")
    shutil.copy(HERE + "/main.rs", root + "/src/main.rs")
    shutil.copy(CHAIN + "/Cargo.lock", root + "/Cargo.lock")
    with open(root + "/Cargo.toml", "w") as manifest:
        manifest.write(
            '[package]\nname = "editor"\nversion = "0.1.0"\nedition = "2024"\n\n[workspace]\n\n'
            '[dependencies]\nchain-runtime = { path = "%s/chain-runtime", features = ["http"] }\n' % CHAIN
        )
    return root


def main():
    root = crate()
    try:
        # The macros are built, and the crate is one that rustc takes.
        subprocess.run(["cargo", "check", "--quiet"], cwd=root, check=True)
        server = Server(root)
        with open(root + "/src/main.rs") as file:
            questions = Questions(server, file.read())
        ask(questions)
        server.process.kill()
    finally:
        shutil.rmtree(root)
    print("%d of %d answers are as they should be" % (questions.asked - questions.failed, questions.asked))
    sys.exit(0 if FIGURES or not questions.failed else 1)


main()
