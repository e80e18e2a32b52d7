#!/usr/bin/env bash
# Packs the libraries and uses them as a stranger would: outside the repository, packages from a feed, no setting. Each package alone in an empty project, restored for linux-x64, win-x64 and osx-arm64
# and built; a project of the template `dotnet new diffusion`, built and run; a console project with several of them. Then this project for other systems: published for win-x64, and run where
# eng/windows.sh has its root; built for win-arm64 and osx-arm64.
# Prints PASS or FAIL at the end; leaves nothing behind (its packages have a version of their own and go into a package folder of their own).
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1

# Our packages only reach the private folder $work/packages; everything else is read from, and missing things added to, the usual cache.
work=$(mktemp -d "${TMPDIR:-/tmp}/diffusion-consume.XXXXXX")
there=$repository/artifacts/windows # where eng/windows.sh has its programs
trap 'rm -rf "$work" "$there"/*/consumer' EXIT
fail() { echo "FAIL: $*"; exit 1; }

libraries=(Diffusion.Core Diffusion.Kernels Diffusion.Models Diffusion.Imaging Diffusion.Imaging.ImageSharp Diffusion.Observers Diffusion.Evaluation Diffusion.Configuration)
version=$(dotnet msbuild src/Diffusion.Core/Diffusion.Core.csproj -getProperty:Version)-ci.$(date -u +%Y%m%d%H%M%S)
libtorch=$(dotnet msbuild src/Diffusion.Core/Diffusion.Core.csproj -getProperty:LibTorchVersion)

echo "Packing $version"
for library in "${libraries[@]}"; do
  dotnet pack "src/$library" -c Release -o "$work/feed" -p:Version="$version" -p:UseSharedCompilation=false -v quiet || fail "$library does not pack"
done

dotnet pack samples/Templates -c Release -o "$work/feed" -p:Version="$version" -v quiet || fail "the templates do not pack"

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
tests=$repository/tests/Diffusion.Build.Tests
[[ -f $tests/bin/Release/net10.0/Diffusion.Build.Tests.dll ]] || dotnet build "$tests" -c Release -p:UseSharedCompilation=false -v quiet --nologo || fail "the tests of packages do not build"
DIFFUSION_FEED=$work/feed dotnet exec "$tests/bin/Release/net10.0/Diffusion.Build.Tests.dll" -noColor -noLogo -failSkips -class '*PackageTests' > "$work/log" || { cat "$work/log"; fail "what is in the packages"; }

# The usual cache is a fallback folder here: its packages are used where they lie, and ours never enter it.
cache=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
cat > "$work/nuget.config" <<XML
<configuration>
  <fallbackPackageFolders>
    <add key="cache" value="$cache" />
  </fallbackPackageFolders>
  <packageSources>
    <add key="ours" value="$work/feed" />
  </packageSources>
</configuration>
XML
cat > "$work/Directory.Build.props" <<'XML'
<Project>
  <PropertyGroup>
    <!-- 486 MB of libtorch: linked, not copied, where the file system can. -->
    <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
    <CreateHardLinksForPublishFilesIfPossible>true</CreateHardLinksForPublishFilesIfPossible>
    <UseSharedCompilation>false</UseSharedCompilation>
  </PropertyGroup>
</Project>
XML
# What the project needs for other systems, and the usual cache lacks, goes into that once.
mkdir "$work/others"
cat > "$work/others/others.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <RestorePackagesPath>$cache</RestorePackagesPath>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="libtorch-cpu-win-x64;libtorch-cpu-osx-arm64" Version="[$libtorch]" />
    <PackageDownload Include="Microsoft.NETCore.App.Host.win-x64;Microsoft.NETCore.App.Host.osx-arm64" Version="[\$(BundledNETCoreAppPackageVersion)]" />
    <PackageDownload Include="Microsoft.NETCore.App.Runtime.win-x64;Microsoft.AspNetCore.App.Runtime.win-x64" Version="[\$(BundledNETCoreAppPackageVersion)]" />
  </ItemGroup>
</Project>
XML
others=yes
dotnet restore "$work/others" > "$work/others.log" 2>&1 || others=$(grep -oEm1 'NU1[13]0[0-9]: .*' "$work/others.log" | sed 's/ \[.*//') || { cat "$work/others.log"; fail "the packages of other systems cannot be restored"; }

export NUGET_PACKAGES="$work/packages"
# quietly COMMAND...: what it prints only where it fails or warns.
quietly() {
  "$@" > "$work/build.log" 2>&1 || { cat "$work/build.log"; fail "$*"; }
  ! grep -E ' warning |: warning' "$work/build.log" || fail "warnings of: $*"
}

echo "Using each package alone"
types=(Diffusion.Trainer "" Diffusion.Models.UNetBuilder Diffusion.Imaging.ImageFolder Diffusion.Imaging.ImageSharp.ImageSharpCodec Diffusion.Observers.CsvLog Diffusion.Evaluation.Evaluator Diffusion.Configuration.RunConfiguration)
mkdir "$work/alone"
{
  echo "<Solution>"
  for i in "${!libraries[@]}"; do
    library=${libraries[i]}
    mkdir -p "$work/alone/$library"
    cat > "$work/alone/$library/With.$library.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <RuntimeIdentifiers>linux-x64;win-x64;osx-arm64</RuntimeIdentifiers>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="$library" Version="$version" />
  </ItemGroup>
</Project>
XML
    [[ -z ${types[i]} ]] || echo "[assembly: System.Reflection.AssemblyMetadata(\"type\", nameof(${types[i]}))]" > "$work/alone/$library/Use.cs"
    echo "  <Project Path=\"$library/With.$library.csproj\" />"
  done
  echo "</Solution>"
} > "$work/alone/alone.slnx"
quietly dotnet build "$work/alone/alone.slnx" -c Release -v minimal
for library in "${libraries[@]}"; do
  for system in linux-x64 win-x64 osx-arm64; do
    assets=$work/alone/$library/obj/project.assets.json
    grep -qF "\"net10.0/$system\": {" "$assets" || fail "$library was not restored for $system"
  done
  # Every library needs TorchSharp, whose own native library is there for each system.
  for native in linux-x64/native/libLibTorchSharp.so win-x64/native/LibTorchSharp.dll osx-arm64/native/libLibTorchSharp.dylib; do
    grep -qF "runtimes/$native" "$assets" || fail "$library has no $native"
  done
done
rm -rf "$work/alone"

echo "Making a project of the template"
# The templates of whoever runs this stay as they are.
quietly dotnet new install "$work/feed/Diffusion.Templates.$version.nupkg" --debug:custom-hive "$work/hive"
quietly dotnet new diffusion --debug:custom-hive "$work/hive" -o "$work/MyModel"
cd "$work/MyModel"
quietly dotnet build -c Release -v minimal
for steps in 2 3; do # the second run goes on with the first
  output=$(dotnet bin/Release/net10.0/MyModel.dll "$repository/samples/data/textures" "$steps" 2>&1) || fail "the program of the template does not run: $output"
  [[ $output == *"3 images"*"Wrote out/samples.png."* && -s out/samples.png && -s out/ema.safetensors ]] || fail "the program of the template printed: $output"
  rm out/samples.png
done
# refuses TEXT ARGUMENTS...: it ends with an error of few lines that has the text.
refuses() {
  local text=$1
  shift
  ! dotnet bin/Release/net10.0/MyModel.dll "$@" > "$work/log" 2>&1 && grep -qF "$text" "$work/log" && [[ $(wc -l < "$work/log") -le 4 ]] || { cat "$work/log"; fail "the program of the template does not say '$text' of: $*"; }
}
refuses "Usage:"
refuses "MyModel/nowhere'. Give the one with your images." nowhere
refuses "STEPS must be a number from 1 on; it is 'many'." "$repository/samples/data/textures" many
mkdir -p pictures/some empty
refuses "empty" empty
cp "$repository"/docs/tutorials/pictures.png pictures/some
head -c 10 pictures/some/pictures.png > pictures/broken.png
touch pictures/note.txt
rm -r out
output=$(dotnet bin/Release/net10.0/MyModel.dll pictures 1 2>&1) || fail "the program of the template ends at a broken image: $output"
[[ $output == *"1 images"*"Left out: "*"1 .txt"*"1 that cannot be read"*"  broken.png: "*"Wrote out/samples.png."* ]] || fail "the program of the template printed: $output"
refuses "empty" empty
refuses "samples/data/textures" "$repository/samples/data/textures" 2 # other images than the run in out was started on

echo "Making a project that uses them"
mkdir "$work/consumer"
cd "$work/consumer"
dotnet new console --no-restore > /dev/null
for library in Diffusion.Core Diffusion.Models Diffusion.Imaging Diffusion.Imaging.ImageSharp; do
  dotnet add package "$library" --version "$version" --no-restore > /dev/null
done
dotnet add package libtorch-cpu-linux-x64 --version "$libtorch" --no-restore > /dev/null
cat > Program.cs <<'CSHARP'
Console.WriteLine(TorchSharp.torch.ones(2).sum().item<float>()); // the first statement: nothing of ours has run when libtorch loads

using Diffusion.Models.UNet unet = Diffusion.Models.UNetBuilder.ForImages(channels: 1, size: 28).Down(16, layers: 1).Down(32, layers: 1, attention: true).Mid(32).Build();
using var images = Diffusion.Imaging.Mnist.Open(args[0], Diffusion.Imaging.Split.Test, limit: 100);
using var trainer = new Diffusion.Trainer(unet, Diffusion.NoiseSchedule.Linear(), new Diffusion.TrainerOptions { Steps = 2, BatchSize = 4 });
trainer.Fit(images);
using var digits = new Diffusion.DdpmSampler(steps: 3).Sample(trainer.Ema, shape: [4, 1, 28, 28], seed: 7);
Diffusion.Imaging.ImageGrid.Save(args[1], digits, columns: 2);
var again = Diffusion.Imaging.ImageFile.Load(args[1], new Diffusion.Imaging.ImageSharp.ImageSharpCodec());
Console.WriteLine(again.Pixels.SequenceEqual(Diffusion.Imaging.ImageFile.Load(args[1]).Pixels));
Console.WriteLine($"{trainer.StepsDone} steps, [{string.Join(", ", digits.shape)}], {new FileInfo(args[1]).Length > 100}");
CSHARP
expected=$'2\nTrue\n2 steps, [4, 1, 28, 28], True'

echo "Building and running it"
quietly dotnet build -c Release -v minimal
output=$(dotnet bin/Release/net10.0/consumer.dll "$repository/samples/data/mnist" digits.png) || fail "the program does not run: $output"
[[ $output == "$expected" ]] || fail "the program printed:"$'\n'"$output"$'\n'"instead of:"$'\n'"$expected"
rm -rf bin obj

if [[ $others != yes ]]; then
  echo "SKIP: other systems, whose packages are not at hand: $others"
  echo "PASS"
  exit
fi

# libtorch_of SYSTEM: what the project takes libtorch from.
libtorch_of() { sed -i.old -E "s/libtorch-cpu-[a-z0-9-]+/libtorch-cpu-$1/" consumer.csproj; }

echo "Publishing it for win-x64"
libtorch_of win-x64
quietly dotnet publish "$work/consumer" -c Release -r win-x64 --self-contained --artifacts-path "$there"
program=$there/publish/consumer/release_win-x64
files=$(find "$program" -type f | wc -l)
echo "$(find "$program" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.0f MB", sum / 1e6 }') in $files files, the runtime of .NET among them; native libraries by package:"
# The only lines of the file with these indents are packages, kinds of files, and files.
awk -F'"' '/^      "/ { package = $2 } /^        "/ { native = $2 == "native" } /^          "/ && native { n = split($2, parts, "/"); files[package] = files[package] " " parts[n] }
  END { for (package in files) print "  " package ":" files[package] }' "$program/consumer.deps.json" | sort
if [[ ! -d ${DIFFUSION_WINDOWS_ROOT:-$HOME/.cache/diffusion/windows}/root || $(id -u) -ne 0 ]] || ! unshare --mount --pid --fork true 2> /dev/null; then
  echo "SKIP: running it for win-x64, for there is no root with Wine that could be entered: bash eng/windows.sh root"
else
  echo "Running it with eng/windows.sh"
  output=$(bash "$repository/eng/windows.sh" run "$work/consumer" "$repository/samples/data/mnist" "artifacts/windows/publish/consumer/digits.png" | tr -d '\r' | tail -3) || fail "the program does not run: $output"
  [[ $output == "$expected" ]] || fail "the program printed:"$'\n'"$output"$'\n'"instead of:"$'\n'"$expected"
fi

echo "Building it for osx-arm64 and win-arm64"
libtorch_of osx-arm64
quietly dotnet build -c Release -r osx-arm64 --no-self-contained -v minimal
[[ -f bin/Release/net10.0/osx-arm64/libtorch_cpu.dylib && -f bin/Release/net10.0/osx-arm64/libLibTorchSharp.dylib ]] || fail "the build for osx-arm64 has no libtorch"
dotnet remove package libtorch-cpu-osx-arm64 > /dev/null # there is none for win-arm64
# The consumer.dll alone: not every feed has the package of its .exe.
quietly dotnet build -c Release -r win-arm64 --no-self-contained -p:UseAppHost=false -v minimal
echo "PASS"
