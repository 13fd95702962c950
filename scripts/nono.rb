# Homebrew formula of nono; the release fills in what stands between at signs.
class Nono < Formula
  desc "Run a command in a kernel-enforced sandbox and undo what it changed"
  homepage "@url@"
  version "@version@"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "@url@/nono-darwin-arm64.tar.gz"
      sha256 "@sha256_darwin_arm64@"
    end
    on_intel do
      url "@url@/nono-darwin-x64.tar.gz"
      sha256 "@sha256_darwin_x64@"
    end
  end

  on_linux do
    on_arm do
      url "@url@/nono-linux-arm64.tar.gz"
      sha256 "@sha256_linux_arm64@"
    end
    on_intel do
      url "@url@/nono-linux-x64.tar.gz"
      sha256 "@sha256_linux_x64@"
    end
  end

  def install
    bin.install "nono"
    bash_completion.install "completions/nono.bash" => "nono"
    zsh_completion.install "completions/_nono"
    fish_completion.install "completions/nono.fish"
    man1.install "man/nono.1"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/nono --version")
    assert_match "Usage: nono run", shell_output("#{bin}/nono run --help")
    assert_match "no such command", shell_output("#{bin}/nono frobnicate 2>&1", 2)
  end
end
