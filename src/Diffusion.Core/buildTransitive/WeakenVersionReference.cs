// An MSBuild task, compiled by RoslynCodeTaskFactory when a build needs it (see Diffusion.Core.targets). C# 7.3, .NET Standard 2.0.
using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Diffusion.Build
{
    /// <summary>
    /// Copies a 64-bit little-endian ELF library and marks one of its symbol-version references as weak, so that the dynamic
    /// loader accepts an older provider of that version. The source file is never written to.
    /// </summary>
    public sealed class WeakenVersionReference : Task
    {
        private const ushort WeakFlag = 2; // VER_FLG_WEAK

        /// <summary>The library to copy.</summary>
        [Required]
        public string Source { get; set; }

        /// <summary>Where the changed copy goes. It appears whole or not at all.</summary>
        [Required]
        public string Destination { get; set; }

        /// <summary>The version whose reference becomes weak, such as <c>GLIBCXX_3.4.32</c>.</summary>
        [Required]
        public string Version { get; set; }

        /// <inheritdoc/>
        public override bool Execute()
        {
            try
            {
                var image = File.ReadAllBytes(Source);
                Weaken(image, Version);
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Destination)));
                var temporary = Destination + "." + Guid.NewGuid().ToString("N") + ".tmp";
                File.WriteAllBytes(temporary, image);
                if (File.Exists(Destination))
                {
                    File.Delete(Destination);
                }

                File.Move(temporary, Destination);
                return true;
            }
            catch (Exception e) when (e is IOException || e is UnauthorizedAccessException || e is InvalidDataException)
            {
                Log.LogWarning(
                    null, "DIFFUSION001", null, Source, 0, 0, 0, 0,
                    "TorchSharp's native library needs {0} of libstdc++, which this system lacks, and could not be adapted ({1}). "
                    + "Install libstdc++ of GCC 13.2 or newer (Debian 13, Ubuntu 24.04, Fedora 39 and later have it), "
                    + "or set the property DiffusionNativeFix to 'off' to hide this message.",
                    Version, e.Message);
                return true;
            }
        }

        /// <summary>Sets the weak flag on every reference to <paramref name="version"/>; returns how many were not weak before.</summary>
        /// <exception cref="InvalidDataException">Not a 64-bit little-endian ELF file, damaged, or without such a reference.</exception>
        public static int Weaken(byte[] image, string version)
        {
            try
            {
                return WeakenUnchecked(image, version);
            }
            catch (Exception e) when (e is ArgumentException || e is OverflowException || e is IndexOutOfRangeException)
            {
                throw new InvalidDataException("the ELF file is damaged", e);
            }
        }

        private static int WeakenUnchecked(byte[] image, string version)
        {
            if (image.Length < 64 || image[0] != 0x7F || image[1] != 'E' || image[2] != 'L' || image[3] != 'F' || image[4] != 2 || image[5] != 1)
            {
                throw new InvalidDataException("not a 64-bit little-endian ELF file");
            }

            long verneed = 0, count = 0, strings = 0;
            ForEachSegment(image, (type, offset, address, size) =>
            {
                for (var at = offset; type == 2 && at < offset + size; at += 16) // PT_DYNAMIC: (tag, value) pairs
                {
                    var tag = BitConverter.ToInt64(image, checked((int)at));
                    var value = BitConverter.ToInt64(image, checked((int)at + 8));
                    verneed = tag == 0x6FFFFFFE ? value : verneed; // DT_VERNEED
                    count = tag == 0x6FFFFFFF ? value : count;     // DT_VERNEEDNUM
                    strings = tag == 5 ? value : strings;          // DT_STRTAB
                }
            });

            int found = 0, changed = 0;
            var need = FileOffset(image, verneed);
            var names = FileOffset(image, strings);
            for (long i = 0; i < count; i++)
            {
                var entry = checked(need + (int)BitConverter.ToUInt32(image, need + 8));
                var entries = BitConverter.ToUInt16(image, need + 2);
                for (var j = 0; j < entries; j++)
                {
                    if (StringAt(image, checked(names + (int)BitConverter.ToUInt32(image, entry + 8))) == version)
                    {
                        found++;
                        changed += (image[entry + 4] & WeakFlag) == 0 ? 1 : 0;
                        image[entry + 4] |= (byte)WeakFlag;
                    }

                    entry = checked(entry + (int)BitConverter.ToUInt32(image, entry + 12));
                }

                need = checked(need + (int)BitConverter.ToUInt32(image, need + 12));
            }

            if (found == 0)
            {
                throw new InvalidDataException("the file has no reference to " + version);
            }

            return changed;
        }

        private static void ForEachSegment(byte[] image, Action<uint, long, long, long> visit)
        {
            var table = checked((int)BitConverter.ToInt64(image, 32));
            int entrySize = BitConverter.ToUInt16(image, 54), entries = BitConverter.ToUInt16(image, 56);
            for (var i = 0; i < entries; i++)
            {
                var at = table + i * entrySize;
                visit(BitConverter.ToUInt32(image, at), BitConverter.ToInt64(image, at + 8), BitConverter.ToInt64(image, at + 16), BitConverter.ToInt64(image, at + 32));
            }
        }

        private static int FileOffset(byte[] image, long address)
        {
            long result = -1;
            ForEachSegment(image, (type, offset, start, size) =>
            {
                result = type == 1 && address >= start && address < start + size ? address - start + offset : result; // PT_LOAD
            });
            return result >= 0 ? checked((int)result) : throw new InvalidDataException("the file has no version references");
        }

        private static string StringAt(byte[] image, int start)
        {
            var end = Array.IndexOf(image, (byte)0, start);
            return Encoding.ASCII.GetString(image, start, end - start);
        }
    }
}
