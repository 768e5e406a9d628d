import io.trino.filesystem.local.LocalFileSystemFactory;
import io.trino.plugin.hive.InternalHiveConnectorFactory;
import io.trino.spi.Plugin;
import io.trino.spi.connector.Connector;
import io.trino.spi.connector.ConnectorContext;
import io.trino.spi.connector.ConnectorFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The Hive connector over the files of this machine: local:///x is /x. What the connector itself has for them is Hadoop's
 * file system, which is not on Maven Central for this version, and takes another 100 MB.
 */
public class LocalHive implements Plugin, ConnectorFactory {
	@Override
	public Iterable<ConnectorFactory> getConnectorFactories() {
		return List.of(this);
	}

	@Override
	public String getName() {
		return "hive_local";
	}

	@Override
	public Connector create(String catalog, Map<String, String> config, ConnectorContext context) {
		return InternalHiveConnectorFactory.createConnector(catalog, config, context, binder -> {}, Optional.empty(),
				Optional.of(new LocalFileSystemFactory(Path.of("/"))), Optional.empty());
	}
}
