using TypedWeights.Files;
using TypedWeights.Json;
using TypedWeights.Snapshots;

namespace TypedWeights.Tool.Snapshots;

/// <summary>What has to be known of a snapshot before it is written: how long it is, and what the file that is there holds.</summary>
internal static class SnapshotProbe
{
    /// <summary>Compares a snapshot with a file, without the text of either in memory.</summary>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="path">The file; null where there is none.</param>
    /// <param name="length">How many bytes the snapshot's text has.</param>
    /// <returns>Whether the file holds exactly this snapshot.</returns>
    public static bool IsIn(WeightSnapshot snapshot, string? path, out long length)
    {
        using Stream file = path is null ? Stream.Null : new FileStream(SmallFile.Open(path), FileAccess.Read);
        using var comparing = new ComparingStream(file);
        SnapshotWriter.Write(snapshot, comparing);
        length = comparing.Length;
        return path is not null && comparing.IsSame && length == file.Length;
    }

    /// <summary>
    /// The source and the class of a snapshot, and whether it holds digests, without the rest of it; null for what is no snapshot.
    /// </summary>
    public static (string Source, string Class, bool HasDigests)? Glance(ReadOnlySpan<byte> utf8)
    {
        ReadOnlySpan<byte> text = utf8.StartsWith(Utf8Text.ByteOrderMark) ? utf8[Utf8Text.ByteOrderMark.Length..] : utf8;
        if (Utf8Text.IndexOfInvalid(text) >= 0)
        {
            return null;
        }

        try
        {
            string? source = null;
            string? className = null;
            bool hasDigests = false;
            var json = new JsonPullReader(text);
            json.BeginObject();
            while (json.NextField(out ReadOnlySpan<byte> member))
            {
                if (member.SequenceEqual("source"u8))
                {
                    source = json.ReadString();
                }
                else if (member.SequenceEqual("class"u8))
                {
                    className = json.ReadString();
                }
                else if (member.SequenceEqual("tensors"u8))
                {
                    hasDigests = HasDigests(ref json);
                }
                else
                {
                    json.Skip();
                }
            }

            json.End();
            return source is null || className is null ? null : (source, className, hasDigests);
        }
        catch (JsonReadException)
        {
            // Broken, so there is nothing to lose.
            return null;
        }
    }

    private static bool HasDigests(ref JsonPullReader json)
    {
        bool found = false;
        json.BeginArray();
        while (json.NextElement())
        {
            json.BeginObject();
            while (json.NextField(out ReadOnlySpan<byte> field))
            {
                found |= field.SequenceEqual("sha256"u8);
                json.Skip();
            }
        }

        return found;
    }

    private sealed class ComparingStream(Stream expected) : Stream
    {
        private byte[] _buffer = [];
        private long _length;

        public bool IsSame { get; private set; } = true;

        public override long Length => _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Position
        {
            get => _length;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _length += buffer.Length;
            if (IsSame)
            {
                Array.Resize(ref _buffer, Math.Max(_buffer.Length, buffer.Length));
                Span<byte> there = _buffer.AsSpan(0, buffer.Length);
                IsSame = expected.ReadAtLeast(there, there.Length, throwOnEndOfStream: false) == there.Length && there.SequenceEqual(buffer);
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
