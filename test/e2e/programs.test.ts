import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

const NOBODY = 65534;
const PATH = '/usr/local/bin:/usr/bin:/bin';
const GIT = 'git -c user.name=n -c user.email=e@x -c init.defaultBranch=main';

interface Program {
  readonly program: string;
  /** Absolute where a version manager's own is usual, which another user may not reach. */
  readonly needs: readonly string[];
  readonly options?: readonly string[];
  readonly script: string;
  /** All that it prints. */
  readonly prints: RegExp;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What people run every day, each once as an ordinary user who has just installed nono. */
const PROGRAMS: readonly Program[] = [
  {
    program: 'git with branches and a worktree',
    needs: ['git'],
    script: `${GIT} init -q a && cd a && echo 1 > f && git add f && ${GIT} commit -qm m && git branch b && git worktree add -q ../w b && git -C ../w log --oneline | wc -l && git worktree list | wc -l`,
    prints: /^1\n2\n$/,
  },
  {
    program: 'git clone, stash, rebase and gc',
    needs: ['git'],
    script: `${GIT} init -q a && cd a && echo 1 > f && git add f && ${GIT} commit -qm m && cd .. && git clone -q a c && cd c && echo 2 > f && ${GIT} stash -q && ${GIT} stash pop -q && git diff --stat | tail -1 && git gc -q && git fsck --no-dangling --no-progress 2>&1 | wc -l`,
    prints: /1 file changed.*\n0\n$/,
  },
  { program: 'node', needs: ['/usr/bin/node'], script: 'node -p "6 * 7"', prints: /^42\n$/ },
  {
    program: 'npm install of a local package, and npm test',
    needs: ['/usr/bin/npm'],
    options: ['--profile', 'node-dev'],
    script:
      'mkdir dep && cd dep && npm init -y >/dev/null && cd .. && npm init -y >/dev/null && npm pkg set scripts.test="echo tested" && npm install --offline --no-audit --no-fund ./dep >/dev/null && npm test --silent && ls node_modules',
    prints: /^tested\ndep\n$/,
  },
  {
    program: 'npx of what is installed',
    needs: ['/usr/bin/npx'],
    options: ['--profile', 'node-dev'],
    script:
      'mkdir -p node_modules/.bin && printf "#!/bin/sh\\necho npx\\n" > node_modules/.bin/x && chmod +x node_modules/.bin/x && npx --offline x',
    prints: /^npx\n$/,
  },
  {
    program: 'python with a venv and pip',
    needs: ['/usr/bin/python3'],
    options: ['--profile', 'python-dev'],
    script:
      'python3 -m venv .venv && .venv/bin/pip --version | cut -d" " -f1 && .venv/bin/python -c "import sys; print(sys.prefix.endswith(\'.venv\'))"',
    prints: /^pip\nTrue\n$/,
  },
  {
    program: 'python with multiprocessing',
    needs: ['/usr/bin/python3'],
    options: ['--profile', 'python-dev'],
    script:
      'printf "import multiprocessing as m\\nif __name__ == \'__main__\':\\n  with m.Pool(2) as p: print(p.map(abs, [-1, 2]))\\n" > x.py && python3 x.py',
    prints: /^\[1, 2\]\n$/,
  },
  {
    program: 'cargo build',
    needs: ['/usr/bin/cargo'],
    options: ['--profile', 'rust-dev'],
    script: 'cargo init -q --vcs none --name x . && cargo run -q --offline',
    prints: /^Hello, world!\n$/,
  },
  {
    program: 'go build',
    needs: ['/usr/local/go/bin/go'],
    options: ['--profile', 'go-dev'],
    script:
      'printf "package main\\nfunc main() { println(42) }\\n" > m.go && /usr/local/go/bin/go mod init x 2>/dev/null && /usr/local/go/bin/go build -o x && ./x 2>&1',
    prints: /^42\n$/,
  },
  {
    program: 'cc and make',
    needs: ['cc', 'make'],
    script:
      'printf "int puts(char*);int main(){puts(\\"c\\");}" > x.c && printf "x: x.c\\n\\tcc -w -o x x.c\\n" > Makefile && make -s && ./x',
    prints: /^c\n$/,
  },
  {
    program: 'g++',
    needs: ['g++'],
    script: 'printf "#include <iostream>\\nint main(){std::cout << 1 << std::endl;}" > x.cc && g++ -o x x.cc && ./x',
    prints: /^1\n$/,
  },
  {
    program: 'cmake',
    needs: ['cmake', 'cc'],
    script:
      'printf "cmake_minimum_required(VERSION 3.5)\\nproject(x C)\\nadd_executable(x x.c)\\n" > CMakeLists.txt && echo "int main(){return 0;}" > x.c && cmake -S . -B b >/dev/null && cmake --build b >/dev/null && b/x && echo built',
    prints: /^built\n$/,
  },
  { program: 'java', needs: ['/usr/bin/java'], script: 'java -version 2>&1 | grep -c VM', prints: /^1\n$/ },
  {
    program: 'perl',
    needs: ['perl'],
    script: 'perl -MFile::Temp -e "print File::Temp->new(), qq(\\n)" | grep -c "$TMPDIR"',
    prints: /^1\n$/,
  },
  { program: 'ruby', needs: ['/usr/bin/ruby'], script: 'ruby -e "puts 6 * 7"', prints: /^42\n$/ },
  {
    program: 'bash with process substitution',
    needs: ['bash'],
    script: 'bash -c "diff <(echo 1) <(echo 1) && echo same"',
    prints: /^same\n$/,
  },
  { program: 'zsh', needs: ['zsh'], script: 'zsh -c "echo z"', prints: /^z\n$/ },
  { program: 'vim', needs: ['vim'], script: 'echo old > f && vim -u NONE -es -c "s/old/new/" -c wq f; cat f', prints: /^new\n$/ },
  { program: 'less', needs: ['less'], script: 'seq 3 > f && less f | tail -1', prints: /^3\n$/ },
  {
    program: 'man',
    needs: ['man', '/usr/share/man/man1/ls.1.gz'],
    script: 'man ls 2>/dev/null | head -1 | cut -c1-2',
    prints: /^LS\n$/,
  },
  { program: 'sed in place', needs: ['sed'], script: 'echo a > f && sed -i s/a/b/ f && cat f', prints: /^b\n$/ },
  {
    program: 'grep, awk, sort and xargs',
    needs: ['awk', 'xargs'],
    script: 'seq 20 | grep 1 | awk "{ print \\$1 * 2 }" | sort -n | xargs -n 4 echo | tail -1',
    prints: /^34 36 38\n$/,
  },
  {
    program: 'find with exec',
    needs: ['find'],
    script: 'mkdir -p a/b && touch a/b/x && find . -name x -exec basename {} \\;',
    prints: /^x\n$/,
  },
  {
    program: 'tar and gzip',
    needs: ['tar', 'gzip'],
    script: 'mkdir d && echo 1 > d/f && tar czf d.tgz d && rm -r d && tar xzf d.tgz && cat d/f',
    prints: /^1\n$/,
  },
  {
    program: 'zip and unzip',
    needs: ['zip', 'unzip'],
    script: 'echo 1 > f && zip -q z.zip f && rm f && unzip -q z.zip && cat f',
    prints: /^1\n$/,
  },
  { program: 'rsync', needs: ['rsync'], script: 'mkdir a && echo 1 > a/f && rsync -a a/ b && cat b/f', prints: /^1\n$/ },
  {
    program: 'cp with attributes',
    needs: ['cp'],
    script: 'echo 1 > a && touch -d 2001-01-01 a && cp -p a b && stat -c %Y a b | uniq | wc -l',
    prints: /^1\n$/,
  },
  {
    program: 'diff and patch',
    needs: ['diff', 'patch'],
    script: 'echo 1 > a && echo 2 > b; diff a b > p; patch -s a p && cat a',
    prints: /^2\n$/,
  },
  {
    program: 'install and ln',
    needs: ['install'],
    script: 'echo 1 > a && install -m 755 a b && ln a c && ln -s a d && cat b c d | wc -l',
    prints: /^3\n$/,
  },
  { program: 'mktemp and tee', needs: ['tee'], script: 'f=$(mktemp) && echo 1 | tee "$f" | cat && cat "$f"', prints: /^1\n1\n$/ },
  {
    program: 'sqlite3',
    needs: ['sqlite3'],
    script: 'sqlite3 x.db "create table t(a); insert into t values (42); select a from t;"',
    prints: /^42\n$/,
  },
  { program: 'jq', needs: ['jq'], script: 'echo "{\\"a\\": 1}" | jq .a', prints: /^1\n$/ },
  { program: 'bc', needs: ['bc'], script: 'echo 6 \\* 7 | bc', prints: /^42\n$/ },
  { program: 'openssl', needs: ['openssl'], script: 'openssl rand -hex 4 | wc -c', prints: /^9\n$/ },
  { program: 'file', needs: ['file'], script: 'echo x > f && file -b f', prints: /^ASCII text\n$/ },
  {
    program: 'ps and top',
    needs: ['ps', 'top'],
    script: 'ps -o pid= -p $$ | wc -l && top -b -n 1 | grep -c PID',
    prints: /^1\n1\n$/,
  },
  { program: 'date in another time zone', needs: ['date'], script: 'TZ=Asia/Tokyo date -d @0 +%H', prints: /^09\n$/ },
  { program: 'id and whoami', needs: ['id', 'whoami'], script: 'id -u && whoami', prints: /^65534\nnobody\n$/ },
  { program: 'locale and iconv', needs: ['iconv'], script: 'printf "\\351" | iconv -f latin1 -t utf8', prints: /^é$/ },
  {
    program: 'curl to a server of its own',
    needs: ['curl', '/usr/bin/python3'],
    script:
      ': > log; echo served > f; python3 -u -m http.server --bind 127.0.0.1 0 > log 2>&1 & i=0; until grep -q port log || [ $i -gt 300 ]; do i=$((i + 1)); sleep 0.1; done; port=$(sed -n "s/.*port \\([0-9]*\\).*/\\1/p" log); curl -s "http://127.0.0.1:$port/f"; kill $!',
    prints: /^served\n$/,
  },
  {
    program: 'curl without a network',
    needs: ['curl'],
    options: ['--block-net'],
    script: 'curl -s -o /dev/null http://127.0.0.1:1/ || echo refused',
    prints: /^refused\n$/,
  },
  {
    program: 'ssh with a key that is granted',
    needs: ['ssh-keygen'],
    options: ['--read-file', 'HOME/.ssh/deploy', '--override-deny', 'HOME/.ssh/deploy'],
    script: 'ssh-keygen -y -f "$HOME/.ssh/deploy" | cut -d" " -f1; cat "$HOME/.ssh/other" 2>/dev/null || echo closed',
    prints: /^ssh-ed25519\nclosed\n$/,
  },
  {
    program: 'gpg, which is refused',
    needs: ['gpg'],
    script: 'gpg --batch --list-secret-keys >/dev/null 2>&1 || echo refused',
    prints: /^refused\n$/,
  },
  {
    program: 'tmux',
    needs: ['tmux'],
    script:
      'tmux -S "$TMPDIR/s" -f /dev/null new-session -d "tty | cut -c1-9 > made.tmp; mv made.tmp made" && i=0; until [ -e made ] || [ $i -gt 300 ]; do i=$((i + 1)); sleep 0.1; done; cat made',
    prints: /^\/dev\/pts\/\n$/,
  },
];

/** A home with keys, owned by the ordinary user. */
function createHome(world: World): void {
  const directory = (name: string): void => {
    mkdirSync(join(world.home, name), { mode: 0o700 });
    chownSync(join(world.home, name), NOBODY, NOBODY);
  };
  for (const name of ['.ssh', '.gnupg']) directory(name);
  if (spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(world.home, '.ssh/deploy')]).status !== 0)
    writeFileSync(join(world.home, '.ssh/deploy'), 'no ssh-keygen here\n');
  writeFileSync(join(world.home, '.ssh/other'), 'secret\n');
  for (const name of ['deploy', 'other']) {
    chmodSync(join(world.home, '.ssh', name), 0o600);
    chownSync(join(world.home, '.ssh', name), NOBODY, NOBODY);
  }
}

/** A compiler that has to compile its library first, on a machine that is busy with other tests. */
const LIMIT_MS = 170_000;

describe('an ordinary user can work inside with', () => {
  test.for(PROGRAMS)('$program', { timeout: LIMIT_MS }, async ({ needs, options = [], script, prints, environment }, context) => {
    needOtherUser(context);
    needCommands(context, ...needs);
    using world = createWorld({ ordinaryUser: true });
    createHome(world);
    const given = options.map((word) => word.replace('HOME', world.home));

    const { status, stdout, stderr } = await runNono(world, ['run', '--allow-cwd', ...given, '--', 'sh', '-c', script], {
      environment: { PATH, NPM_CONFIG_UPDATE_NOTIFIER: 'false', ...environment },
      timeoutMs: LIMIT_MS,
    });

    expect({ stdout, stderr, status }).toEqual({ stdout: expect.stringMatching(prints) as string, stderr: '', status: 0 });
  });
});
