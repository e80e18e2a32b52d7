#!/usr/bin/env bash
# Packs the libraries and uses them as a stranger would: a new console project outside the repository, packages from a feed, no setting.
# Prints PASS or FAIL at the end; leaves nothing behind (its packages have a version of their own and go into a package folder of their own).
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

# Our packages only reach the private folder $work/packages; everything else is read from, and missing things added to, the usual cache.
work=$(mktemp -d "${TMPDIR:-/tmp}/diffusion-consume.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; exit 1; }

libraries=(Diffusion.Core Diffusion.Kernels Diffusion.Models Diffusion.Imaging Diffusion.Configuration)
version=$(dotnet msbuild src/Diffusion.Core/Diffusion.Core.csproj -getProperty:Version)-ci.$(date -u +%Y%m%d%H%M%S)
libtorch=$(dotnet msbuild src/Diffusion.Core/Diffusion.Core.csproj -getProperty:LibTorchVersion)

echo "Packing $version"
for library in "${libraries[@]}"; do
  dotnet pack "src/$library" -c Release -o "$work/feed" -p:Version="$version" -p:UseSharedCompilation=false -v quiet || fail "$library does not pack"
done

echo "Looking into the packages"
entries() { unzip -Z1 "$1" 2>/dev/null || python3 -c 'import sys, zipfile; print("\n".join(zipfile.ZipFile(sys.argv[1]).namelist()))' "$1"; }
has() { grep -qxF "$2" <<< "$(entries "$1")" || fail "$(basename "$1") has no $2"; }
for library in "${libraries[@]}"; do
  package="$work/feed/$library.$version.nupkg"
  [[ -f $package ]] || fail "no package $library"
  has "$package" README.md
  has "$package" "lib/net10.0/$library.dll"
  has "$package" "lib/net10.0/$library.xml"
  has "$work/feed/$library.$version.snupkg" "lib/net10.0/$library.pdb"
  ! grep 'runtimes/' <<< "$(entries "$package")" || fail "$library brings native libraries"
done
has "$work/feed/Diffusion.Core.$version.nupkg" buildTransitive/Diffusion.Core.targets
has "$work/feed/Diffusion.Core.$version.nupkg" buildTransitive/WeakenVersionReference.cs

echo "Making a project that uses them"
mkdir "$work/consumer"
cd "$work/consumer"
# The usual cache is a fallback folder here: its packages are used where they lie, and ours never enter it.
cache=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
export NUGET_PACKAGES="$work/packages"
cat > nuget.config <<XML
<configuration>
  <fallbackPackageFolders>
    <add key="cache" value="$cache" />
  </fallbackPackageFolders>
  <packageSources>
    <add key="ours" value="$work/feed" />
  </packageSources>
</configuration>
XML
cat > Directory.Build.props <<'XML'
<Project>
  <PropertyGroup>
    <!-- 486 MB of libtorch: linked, not copied, where the file system can. -->
    <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
    <UseSharedCompilation>false</UseSharedCompilation>
  </PropertyGroup>
</Project>
XML
dotnet new console --no-restore > /dev/null
for library in Diffusion.Core Diffusion.Models Diffusion.Imaging; do
  dotnet add package "$library" --version "$version" --no-restore > /dev/null
done
dotnet add package libtorch-cpu-linux-x64 --version "$libtorch" --no-restore > /dev/null
cat > Program.cs <<'CSHARP'
Console.WriteLine(TorchSharp.torch.ones(2).sum().item<float>()); // the first statement: nothing of ours has run when libtorch loads

using Diffusion.Models.UNet unet = Diffusion.Models.UNetBuilder.ForImages(channels: 1, size: 28).Down(16, layers: 1).Down(32, layers: 1, attention: true).Mid(32).Build();
using var images = Diffusion.Imaging.Mnist.Open(args[0], Diffusion.Imaging.Split.Test, limit: 100);
using var trainer = new Diffusion.Trainer(unet, new Diffusion.LinearNoiseSchedule(), new Diffusion.TrainerOptions { Steps = 2, BatchSize = 4 });
trainer.Fit(images);
using var digits = new Diffusion.DdpmSampler(steps: 3).Sample(trainer.Ema, shape: [4, 1, 28, 28], seed: 7);
Diffusion.Imaging.ImageGrid.Save("digits.png", digits, columns: 2);
Console.WriteLine($"{trainer.StepsDone} steps, [{string.Join(", ", digits.shape)}], {new FileInfo("digits.png").Length > 100}");
CSHARP
expected=$'2\n2 steps, [4, 1, 28, 28], True'

echo "Building and running it"
dotnet build -c Release -v minimal > build.log 2>&1 || { cat build.log; fail "the project does not build"; }
! grep -E ' warning |: warning' build.log || fail "the project builds with warnings"
output=$(dotnet bin/Release/net10.0/consumer.dll "$repository/samples/data/mnist") || fail "the program does not run: $output"
[[ $output == "$expected" ]] || fail "the program printed:"$'\n'"$output"$'\n'"instead of:"$'\n'"$expected"
echo "PASS"
